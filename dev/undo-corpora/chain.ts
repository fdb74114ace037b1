import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { installBelay } from "../../shared/install.ts";
import { runForward } from "../../shared/migrations/sync/run-forward.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { completePolicy } from "../../shared/rollback/plan/policy.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { type Databases, openDatabases, withSession } from "./databases.ts";

/** A database for each level of a folder's migrations, all in the ledger, and a store for the archives. */
export interface Chain {
  readonly databases: Databases;
  /** The verbs' adapters for one of the databases. */
  belay(database: string): Belay;
  close(): Promise<void>;
}

/** The database in which migrations 0 to `index` are applied, and no row is generated. */
export function bareLevel(index: number): string {
  return `level_${index}`;
}

/** The tool's table is dbmate's, one row for each version, in a schema of its own. */
export const toolSchema = "tool";
const tracking = `create schema ${toolSchema}; create table ${toolSchema}.schema_migrations (version varchar(128) primary key)`;

/** Applies migration by migration, registers each with the snapshots before and after it, and keeps every level from `from` on. */
export async function openChain(
  server: string,
  folder: MigrationFolder,
  from: number,
  progress: (word: string) => void,
): Promise<Chain> {
  const databases = openDatabases(server);
  const place = mkdtempSync(join(tmpdir(), "belay-undo-"));
  const belay = (database: string) => adapters(databases.urlOf(database), place);
  const close = async () => {
    rmSync(place, { recursive: true, force: true });
    await databases.dropAll();
  };
  try {
    await databases.create("top");
    await withSession(databases.urlOf("top"), async (session) => {
      await installBelay(session);
      await session.run(tracking);
    });
    for (const [index, migration] of folder.migrations.entries()) {
      progress(`applying ${migration.name}`);
      await withSession(databases.urlOf("top"), async (session) => {
        await runForward(session, migration);
        await session.sql`insert into tool.schema_migrations values (${migration.version})`;
      });
      const applied = { ...folder, migrations: folder.migrations.slice(0, index + 1) };
      await syncMigrations(belay("top"), applied, { replay: false });
      if (index >= from) await databases.copy("top", bareLevel(index));
    }
    return { databases, belay, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function adapters(database: string, place: string): Belay {
  const policy = completePolicy({ gates: { approved: "off" } });
  const settings = parseSettings({ database, policy, actor: "undo-corpora", criticalSectionMs: 60_000 });
  return {
    settings,
    actor: settings.actor,
    openSession: (options) => openSession(database, { applicationName: "belay-undo-corpora", ...options }),
    store: createFolderStore(place),
    scratchUrl: null,
    report: () => {},
    now: () => new Date(),
  };
}
