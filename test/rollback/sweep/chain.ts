import { rmSync, writeFileSync } from "node:fs";
import { installBelay } from "../../../shared/install.ts";
import { readMigrationFolder } from "../../../shared/migrations/read-folder.ts";
import { syncMigrations } from "../../../shared/migrations/sync/sync.ts";
import type { MigrationFolder } from "../../../shared/migrations/types.ts";
import { openSession } from "../../../shared/postgres/session.ts";
import { sweepBelay } from "./belay.ts";
import type { Published } from "./corpus.ts";
import { connect } from "./state.ts";
import { stock } from "./stock.ts";

/** A database to which a corpus is applied migration by migration, each registered with its snapshots; rows live in copies. */
export interface Chain {
  readonly folder: MigrationFolder;
  apply(migration: Published): Promise<void>;
  register(name: string): Promise<void>;
  /** Copies the database; answers the copy's URL. */
  copy(): Promise<string>;
  drop(url: string): Promise<void>;
  close(): Promise<void>;
}

export async function openChain(server: string, corpus: string, name: string): Promise<Chain> {
  const folder = await readMigrationFolder(corpus);
  const url = databaseUrl(server, name);
  await onServer(server, `drop database if exists "${name}" with (force)`);
  await onServer(server, `create database "${name}"`);
  const session = await openSession(url);
  await installBelay(session);
  await session.close();
  const { belay, place } = sweepBelay(url, server);
  let copies = 0;
  return {
    folder,
    apply: (migration) => applyUp(url, migration),
    register: async (migration) => {
      await syncMigrations(belay, upTo(folder, migration), { appliedTo: migration, replay: false });
    },
    copy: async () => {
      const copy = `${name}_${copies++}`;
      await onServer(server, `drop database if exists "${copy}" with (force)`);
      for (let attempt = 0; ; attempt++)
        try {
          await onServer(server, `create database "${copy}" template "${name}"`);
          break;
        } catch (error) {
          if (attempt > 20) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      return databaseUrl(server, copy);
    },
    drop: (copy) => onServer(server, `drop database if exists "${new URL(copy).pathname.slice(1)}" with (force)`),
    close: async () => {
      rmSync(place, { recursive: true, force: true });
      await onServer(server, `drop database if exists "${name}" with (force)`);
    },
  };
}

function upTo(folder: MigrationFolder, name: string): MigrationFolder {
  const last = folder.migrations.findIndex((migration) => migration.name === name);
  return { ...folder, migrations: folder.migrations.slice(0, last + 1) };
}

async function applyUp(url: string, { up, modeUp, name }: Published): Promise<void> {
  if (modeUp === "notx") {
    const file = `/tmp/belay-sweep-${process.pid}-${name}.sql`;
    writeFileSync(file, up);
    await stock("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", file, "-d", url]).finally(() => rmSync(file));
    return;
  }
  const sql = connect(url);
  try {
    if (up.trim() === "") return;
    await sql.unsafe(modeUp === "tx" ? `begin;\n${up}\n;commit;` : up);
  } finally {
    await sql.end();
  }
}

export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

export async function onServer(server: string, text: string): Promise<void> {
  const sql = connect(server);
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}
