import { chmodSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import { openArchive } from "../../shared/archive/read/open.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import type { RestoreOptions, RestoreReport } from "../../shared/archive/restore/types.ts";
import { temporaryFolder } from "../support/belay.ts";
import { runProgram } from "../support/debian.ts";

/** An archive of stock pg_dump in a temporary folder, by its URL. */
export async function stockDump(database: string, ...args: readonly string[]): Promise<string> {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const path = join(folder, "archive");
  await runProgram("pg_dump", [...args, "-f", path], { url: database });
  return pathToFileURL(path).href;
}

/** Restores the archive at a place with Belay. */
export async function restoreInto(url: string, place: string, options: RestoreOptions = {}): Promise<RestoreReport> {
  return restoreArchive({ archive: await openArchive(place), url, ...options });
}

/** Rows of a query, on a connection of its own. */
export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 5 });
  }
}
