import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Belay } from "../../shared/context.ts";
import { installBelay } from "../../shared/install.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase, serverUrl } from "../support/postgres.ts";

/** A target database with schema belay, a migrations folder, and the adapters to work on them. */
export interface World {
  readonly belay: Belay;
  readonly session: Session;
  folder(files?: Readonly<Record<string, string>>): Promise<MigrationFolder>;
  /** Runs the forward SQL of files, as the team's own tool would. */
  apply(...names: string[]): Promise<void>;
  end(): Promise<void>;
}

export async function createWorld(
  files: Readonly<Record<string, string>>,
  options: { scratch?: boolean; sql?: string } = {},
): Promise<World> {
  const database = await createDatabase({ sql: options.sql });
  const session = await openSession(database.url);
  await installBelay(session);
  const directory = temporaryFolder();
  const current: Record<string, string> = { ...files };
  const belay = testBelay({
    database: database.url,
    ...(options.scratch === true ? { scratch: await serverUrl() } : {}),
    settings: { migrations: directory },
  });
  const folder = (changed: Readonly<Record<string, string>> = {}) => {
    Object.assign(current, changed);
    for (const [name, text] of Object.entries(current)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    return readMigrationFolder(directory);
  };
  return {
    belay,
    session,
    folder,
    apply: async (...names) => {
      for (const name of names) await session.run(current[name]!);
    },
    end: async () => {
      await session.close();
      await database.drop();
    },
  };
}

export const section = (sql: string): string =>
  `\n-- ROLLBACK START\n${sql
    .split("\n")
    .map((line) => `-- ${line}`)
    .join("\n")}\n-- ROLLBACK END\n`;
