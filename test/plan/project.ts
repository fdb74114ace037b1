import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Settings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { installBelay } from "../../shared/install.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";

export interface Step {
  readonly name: string;
  readonly up: string;
  readonly down: string | null;
  readonly dependsOn?: string;
}

export interface Project {
  readonly belay: Belay;
  readonly session: Session;
  readonly folder: MigrationFolder;
  readonly url: string;
}

/** A database whose migrations were applied and synced one by one, so that each has its own snapshots. */
export async function projectOf(
  steps: readonly Step[],
  options: { before?: string; settings?: Partial<Settings> } = {},
): Promise<Project> {
  const database = await createDatabase();
  const directory = mkdtempSync(join(tmpdir(), "belay-plan-"));
  const session = await openSession(database.url);
  onTestFinished(async () => {
    await session.close();
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  });
  const belay = testBelay({ database: database.url, settings: options.settings });
  if (options.before !== undefined) await session.run(options.before);
  await installBelay(session);
  for (const step of steps) {
    writeFileSync(join(directory, `${step.name}.sql`), fileOf(step));
    await session.run(step.up);
    await session.run("select pg_stat_force_next_flush()");
    await session.run("select 1");
    await syncMigrations(belay, await readMigrationFolder(directory, "section"), { appliedTo: step.name });
  }
  return { belay, session, folder: await readMigrationFolder(directory, "section"), url: database.url };
}

function fileOf(step: Step): string {
  const lines = step.dependsOn === undefined ? [] : [`-- Depends on: ${step.dependsOn}.sql`];
  lines.push(step.up);
  if (step.down !== null) {
    const commented = step.down.split("\n").map((line) => `-- ${line}`);
    lines.push("-- ROLLBACK START", ...commented, "-- ROLLBACK END");
  }
  return `${lines.join("\n")}\n`;
}
