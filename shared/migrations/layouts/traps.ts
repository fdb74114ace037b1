import type { LayoutName, LayoutProblem, Migration } from "../types.ts";
import { flywayName } from "./flyway.ts";
import { installsBelay } from "./plain-names.ts";
import { problemAt, type SourceFile, type SourceFolder } from "./source.ts";
import { downFile } from "./up-down-pair.ts";

// Source: supabase/cli pkg/migration/file.go, migrateFilePattern; `db push` reads the folder itself, not those beneath it.
const supabaseRuns = /^[0-9]+_.*\.sql$/;

/** Whether a folder is the one that `supabase db push` reads. */
export function isSupabaseFolder(directory: string): boolean {
  return /(^|[\\/])supabase[\\/]+migrations[\\/]*$/.test(directory);
}

/** A rollback file that `supabase db push` would run as a migration, with where it may go instead. */
export interface Trap {
  readonly file: SourceFile;
  /** Path from the migrations folder. */
  readonly moveTo: string;
}

/** Rollback files among the migrations of a Supabase project whose names make them migrations of their own. */
export function trapsIn(folder: SourceFolder): Trap[] {
  const names = new Set(folder.files.map((file) => file.name));
  return folder.files
    .filter((file) => supabaseRuns.test(file.name) && rollbackOf(file.name, names) !== null)
    .map((file) => ({ file, moveTo: `rollbacks/${rollbackOf(file.name, names)}` }));
}

/** The file name of the migration that a file takes back by its name; null when the name does not say so. */
function rollbackOf(name: string, names: ReadonlySet<string>): string | null {
  if (downFile.test(name)) {
    const base = name.replace(downFile, "");
    return names.has(`${base}.up.sql`) ? `${base}.up.sql` : `${base}.sql`;
  }
  if (/\.(rollback|undo|revert)\.sql$/i.test(name)) return name.replace(/\.(rollback|undo|revert)\.sql$/i, ".sql");
  const [, version, base] = /^(\d+_)?(.*?)[_-](?:rollback|down|undo|revert)\.sql$/i.exec(name) ?? [];
  const forward = `${version ?? ""}${base}.sql`;
  if (base !== undefined && names.has(forward)) return forward;
  const [, stamp, rest] = /^(\d+)_(?:rollback|undo|revert)_(.*\.sql)$/i.exec(name) ?? [];
  if (rest === undefined) return null;
  const same = [...names].filter((one) => one !== name && one.replace(/^\d+_/, "") === rest);
  return names.has(`${stamp}_${rest}`) ? `${stamp}_${rest}` : same.length === 1 ? same[0]! : null;
}

/** What `supabase db push` makes of the folder's files, where it is not what the layout means. */
export function trapProblems(
  folder: SourceFolder,
  layout: LayoutName,
  migrations: readonly Migration[],
): LayoutProblem[] {
  if (!isSupabaseFolder(folder.directory)) return [];
  const run = trapsIn(folder).map(({ file, moveTo }) =>
    problemAt(
      file,
      1,
      "trap",
      `supabase db push runs ${file.name} as a migration of its own: move it to ${moveTo} (\`belay fix --move\` shows how)`,
    ),
  );
  const forward = new Set(migrations.map((one) => one.file));
  const skipped = folder.files
    .filter((file) => !supabaseRuns.test(file.name) && !installsBelay(file))
    .filter((file) => forward.has(file.path) || (flywayName(file.name) !== null && layout !== "flyway"))
    .map((file) =>
      problemAt(
        file,
        1,
        "trap",
        `supabase db push skips ${file.name}: it runs only files called TIMESTAMP_name.sql`,
        "warning",
      ),
    );
  const beneath = migrations
    .filter((one) => layout === "folder-pair" && one.file.endsWith(".sql"))
    .map((one) =>
      problemAt(
        { path: one.file },
        1,
        "trap",
        `supabase db push does not read folders: ${one.name} is never applied by it`,
        "warning",
      ),
    );
  return [...run, ...skipped, ...beneath];
}
