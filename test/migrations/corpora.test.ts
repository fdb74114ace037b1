import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { installBelay } from "../../shared/install.ts";
import { listMigrations } from "../../shared/migrations/ledger/status.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { runForward } from "../../shared/migrations/sync/run-forward.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase, serverUrl } from "../support/postgres.ts";

const corpora = join(import.meta.dirname, "../../../shared/corpora");
const here = existsSync(corpora);

/** Migrations, and of them those with rollback SQL that is not empty. */
const counts = {
  horizon: [72, 71],
  concourse: [156, 151],
  cratesio: [285, 276],
  kratos: [346, 235],
  openmeter: [269, 244],
} as const;

/** A corpus under its original file names; horizon's two halves are one file again. */
function asPublished(name: string): string {
  const folder = temporaryFolder();
  const [, ...rows] = readFileSync(join(corpora, name, "manifest.tsv"), "utf8")
    .trim()
    .split("\n");
  for (const row of rows) {
    const [migration, , , up, down] = row.split("\t");
    for (const [direction, source] of [
      ["up", up!],
      ["down", down!],
    ] as const) {
      const from = join(corpora, name, `${migration}.${direction}.sql`);
      if (!existsSync(from)) continue;
      const path = source.replace(/^.*?migrations\/(?:migrations\/|sql\/)?/, "").replace(/\.go$/, ".sql");
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      appendFileSync(join(folder, path), `${readFileSync(from, "utf8")}\n`);
    }
  }
  return folder;
}

describe.skipIf(!here)(
  here ? "published migrations" : "published migrations (skipped: ../shared/corpora is not there)",
  () => {
    it.each(Object.entries(counts))("of %s are read as pairs", async (name, [all, withRollback]) => {
      const { layout, migrations, problems } = await readMigrationFolder(join(corpora, name));
      expect({
        layout,
        all: migrations.length,
        withRollback: migrations.filter((migration) => migration.rollback !== null).length,
      }).toEqual({
        layout: "up-down-pair",
        all,
        withRollback,
      });
      expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
    });

    it.each([
      ["cratesio", "folder-pair", []],
      ["horizon", "sql-migrate", []],
      ["concourse", "up-down-pair", ["duplicate_version"]],
      ["kratos", "up-down-pair", []],
      ["openmeter", "up-down-pair", []],
    ] as const)("of %s are read in the layout in which they were published", async (name, layout, errors) => {
      const folder = await readMigrationFolder(asPublished(name));
      const [all, withRollback] = counts[name];
      expect(folder.layout).toBe(layout);
      expect(folder.migrations).toHaveLength(all);
      expect(folder.migrations.filter((migration) => migration.rollback !== null)).toHaveLength(withRollback);
      expect(folder.migrations.filter((one) => one.emptyRollback !== null)).toHaveLength(all - withRollback);
      expect(folder.problems.flatMap(({ code }) => (code === "empty_rollback" ? [] : [code]))).toEqual(errors);
    });

    it("of horizon, applied by hand, are synced with the state before and after each, and listed", async () => {
      const database = await createDatabase();
      const session = await openSession(database.url);
      const folder = await readMigrationFolder(join(corpora, "horizon"));
      for (const migration of folder.migrations) await runForward(session, migration);
      await installBelay(session);
      const belay = testBelay({ database: database.url, scratch: await serverUrl() });
      const report = await syncMigrations(belay, folder, { appliedTo: "latest" });
      expect(report).toMatchObject({ pending: [], replay: { state: "equal", differences: [] } });
      expect(report.registered).toHaveLength(72);
      const rows = await listMigrations(belay, folder);
      expect(rows.every((row) => row.status === "applied" && row.snapshots.before && row.snapshots.after)).toBe(true);
      expect(rows[0]).toMatchObject({ version: "0072", canRollBack: true, dependents: [] });
      expect(rows.find((row) => row.version === "0067")).toMatchObject({
        hasRollback: false,
        canRollBack: false,
        blockingReason: "no rollback SQL",
      });
      await session.close();
      await database.drop();
    });
  },
);
