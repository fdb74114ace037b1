import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readSnapshotCatalog, storeSnapshot } from "../../shared/catalog/snapshots.ts";
import { installBelay } from "../../shared/install.ts";
import { insertMigration } from "../../shared/migrations/ledger/ledger.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { photograph, run, withDatabase } from "./helpers.ts";

const shop = fileURLToPath(new URL("../../examples/shop/supabase/migrations", import.meta.url));

const desk = [
  "20250408113000_create_support_tickets",
  "20250415140000_assign_support_tickets",
  "20250422100000_search_support_messages",
];

/** The shop with Supabase's tracking table and every migration's snapshots. */
async function openShop(url: string): Promise<void> {
  const folder = await readMigrationFolder(shop);
  await withDatabase(url, async (session) => {
    await session.run(
      "create schema supabase_migrations; create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)",
    );
    await installBelay(session);
    let before = await readSnapshotCatalog(session);
    for (const migration of folder.migrations) {
      if (migration.name === desk[0]) before = await readSnapshotCatalog(session);
      await session.run(migration.forwardSql);
      await session.sql`
        insert into supabase_migrations.schema_migrations
        values (${migration.version}, array['one', 'two'], ${migration.name.slice(migration.version.length + 1)})`;
      await insertMigration(session, migration, { actor: "tester", status: "applied" });
      if (!desk.includes(migration.name)) continue;
      await storeSnapshot(session, before, { migration: migration.name, moment: "before", origin: "live" });
      before = await readSnapshotCatalog(session);
      await storeSnapshot(session, before, { migration: migration.name, moment: "after", origin: "live" });
    }
  });
}

async function ledger(url: string) {
  const rows = await run(
    url,
    `select h.migration_name as name, h.status, m.version is not null as tracked, m.name as tool_name, m.statements::text as statements
       from belay.migration_history h left join supabase_migrations.schema_migrations m on m.version = h.migration_version
      order by h.migration_version`,
  );
  return rows.filter(({ name }) => desk.includes(name as string));
}

describe("one rollback for three migrations: the support desk", () => {
  test.each(desk)("asked for by %s, all three go and all three come back", async (asked) => {
    const database = await createDatabase();
    await openShop(database.url);
    const [before, applied] = [await photograph(database.url), await ledger(database.url)];
    expect(applied.map(({ status, tracked }) => [status, tracked])).toEqual(desk.map(() => ["applied", true]));
    const belay = testBelay({ database: database.url });
    const report = await executeRollback(belay, { migration: asked, reason: "test" });
    expect(report.endState).toBe("as_before");
    expect((await ledger(database.url)).map(({ status, tracked }) => [status, tracked])).toEqual(
      desk.map(() => ["rolled_back", false]),
    );
    expect(report.tables.map(({ table }) => table).sort()).toEqual([
      "support_agents",
      "support_messages",
      "support_tickets",
    ]);
    await expect(executeRollback(belay, { migration: desk[1]!, reason: "again" })).rejects.toMatchObject({
      code: "gate_failed",
    });
    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await ledger(database.url)).toEqual(applied);
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });
});
