import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { installBelay } from "../../shared/install.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { parseSql } from "../../shared/sql/parse.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDebianDatabase, debianUrl, describeWithDebian, pgRestore } from "../support/debian.ts";
import { advising } from "../support/policy.ts";
import { fillEmptyTables } from "./generate-rows.ts";
import { photograph, run, withDatabase } from "./helpers.ts";

const corpus = fileURLToPath(new URL("../../../shared/corpora/horizon", import.meta.url));

/** Rollbacks that change rows of a table that stays: each table is archived whole, and put back whole by undo. */
const rewrittenInPlace = [
  "0017_ingest_failed_transactions",
  "0035_fee_bump_transactions",
  "0037_deleted_offers",
  "0050_rebuild_trade_aggregations",
  "0052_liquidity_pools",
  "0056_tx_preconditions_and_account_fields",
];

/** Rollbacks that, by the corpus' own measurement, do not end where their migration began. */
function readNonInverse(): string[] {
  const rows = readFileSync(`${corpus}/verdicts.tsv`, "utf8")
    .split("\n")
    .map((line) => line.split("\t"));
  return rows.filter(([, verdict]) => verdict === "non-inverse").map(([migration]) => migration!);
}

/** In the chain these differ too: measured alone, by the corpus' verdicts, they are inverse. */
const differInChain = [
  "0011_add_trades_price",
  "0014_trade_offer_ids",
  "0015_fix_asset_toml_field",
  "0022_trades_remove_zero_amount_constraints",
  "0026_expingest_rename_columns",
  "0033_drop_exp_history_tables",
  "0043_add_sponsor_to_state_tables",
  "0046_asset_stat_accounts_and_balances",
  "0065_add_contract_id_to_asset_stats",
];

/** Every run restores others of the archives; all take long. */
const share = 3;
const first = Math.floor(Math.random() * share);

/** Its rollback SQL is a comment alone, which counts as missing. */
const withoutRollback = ["0067_drop_payment_index"];

describe.skipIf(!existsSync(corpus))(
  `horizon${existsSync(corpus) ? "" : " (skipped: no corpora beside the checkout)"}`,
  () => {
    describeWithDebian("rolled back from the top to zero, on rows", () => {
      test("its archives restore with stock pg_restore, and nothing is left at the end", {
        timeout: 900_000,
      }, async () => {
        console.log(`every ${share}rd archive from ${first} on`);
        const database = await createDebianDatabase();
        const folder = await readMigrationFolder(corpus);
        const empty = await withDatabase(database.url, async (session) => {
          await installBelay(session);
          const before = await photograph(database.url);
          for (const migration of folder.migrations) {
            for (const part of statementsOf(migration.name, migration.forwardSql)) await session.run(part);
          }
          return before;
        });
        const place = temporaryFolder();
        const belay = testBelay({
          database: database.url,
          store: createFolderStore(place),
          scratch: debianUrl(),
          settings: { criticalSectionMs: 60_000 },
        });
        const synced = await syncMigrations(belay, folder, { appliedTo: folder.migrations.at(-1)!.name, replay: true });
        expect(synced.replay).toMatchObject({ state: "equal" });
        const nonInverse = readNonInverse();
        const differing: string[] = [];
        const policy = advising("undoable");
        const refused: string[] = [];
        const inPlace: string[] = [];
        let archives = 0;
        for (const migration of folder.migrations.toReversed()) {
          const unfilled = await withDatabase(database.url, fillEmptyTables);
          if (migration.rollback === null) {
            await expect(executeRollback(belay, { migration: migration.name, reason: "chain" })).rejects.toMatchObject({
              code: "gate_failed",
              message: expect.stringContaining("rollback_sql"),
            });
            await run(
              database.url,
              `update belay.migration_history set status = 'rolled_back' where migration_name = '${migration.name}'`,
            );
            refused.push(migration.name);
            continue;
          }
          const request = { migration: migration.name, reason: "chain", policy };
          const report = await executeRollback(belay, request).catch((error) => {
            if (error.code !== "end_state_differs")
              throw new Error(`${migration.name}: ${error.code}: ${error.message}`, { cause: error });
            differing.push(migration.name);
            return executeRollback(belay, { ...request, waive: ["end_state"] });
          });
          expect(report.endState).toBe(differing.includes(migration.name) ? "waived" : "as_before");
          if (report.notes.some((note) => note.includes("changed in place"))) inPlace.push(migration.name);
          for (const table of report.tables)
            if (!unfilled.includes(`${table.schema}.${table.table}`)) expect(table.rows).toBeGreaterThan(0);
          if (report.archiveId === null) continue;
          if (archives++ % share !== first) continue;
          const scratch = await createDebianDatabase("drop schema public cascade; create schema public");
          await pgRestore(scratch.url, `${place}/archives/${report.archiveId}`, "--no-owner");
          const restored = await photograph(scratch.url);
          for (const table of report.tables)
            expect(restored.tables[`${table.schema}.${table.table}`]).toBe(`${table.rows}/${table.digest}`);
          await scratch.drop();
        }
        const end = await photograph(database.url);
        expect(inPlace.toSorted()).toEqual(rewrittenInPlace);
        expect(differing.toSorted()).toEqual([...nonInverse, ...differInChain].toSorted());
        expect(refused).toEqual(withoutRollback);
        expect(archives).toBeGreaterThan(60);
        expect(end.entries).toEqual(empty.entries);
        expect(end.tables).toEqual(empty.tables);
        await database.drop();
      });
    });
  },
);

/** Forward SQL that cannot run in one transaction runs statement by statement, as its tool does it. */
function statementsOf(name: string, sql: string): string[] {
  return /notransaction/i.test(sql) ? parseSql(sql, { file: name, line: 1 }).map(({ text }) => text) : [sql];
}
