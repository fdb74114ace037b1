import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { LayoutName, MigrationFolder } from "../../shared/migrations/types.ts";
import { temporaryFolder } from "../support/belay.ts";

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A folder with these files, by path. */
export function folderOf(files: Files, folder = temporaryFolder()): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export function readFiles(files: Files, layout?: LayoutName): Promise<MigrationFolder> {
  return readMigrationFolder(folderOf(files), layout);
}

/** Problems as `code file:line`, for comparisons. */
export function problemsOf(folder: MigrationFolder): string[] {
  return folder.problems.map(({ code, place }) => `${code} ${basename(place.file)}:${place.line}`);
}
