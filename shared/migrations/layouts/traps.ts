import type { LayoutName, LayoutProblem, Migration } from "../types.ts";
import { flywayName } from "./flyway.ts";
import { installsBelay } from "./plain-names.ts";
import { problemAt, type SourceFile, type SourceFolder } from "./source.ts";
import { downFile, upFile } from "./up-down-pair.ts";

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
  /** The forward file `x.up.sql`, which becomes `x.sql` then: a rollbacks folder goes with plain names. */
  readonly with?: readonly { readonly file: SourceFile; readonly moveTo: string }[];
}

/** Rollback files among the migrations of a Supabase project whose names make them migrations of their own. */
export function trapsIn(folder: SourceFolder): Trap[] {
  const byName = new Map(folder.files.map((file) => [file.name, file]));
  return folder.files.flatMap((file): Trap[] => {
    const forward = supabaseRuns.test(file.name) ? forwardOf(file.name, byName) : null;
    if (forward === null) return [];
    const plain = forward.replace(upFile, ".sql");
    const up = byName.get(forward);
    const renamed = up !== undefined && plain !== forward ? { with: [{ file: up, moveTo: plain }] } : {};
    return [{ file, moveTo: `rollbacks/${plain}`, ...renamed }];
  });
}

/** The file name of the migration that a file takes back by its name; null when the name does not say so. */
function forwardOf(name: string, names: ReadonlyMap<string, SourceFile>): string | null {
  if (downFile.test(name)) {
    const base = name.replace(downFile, "");
    return names.has(`${base}.up.sql`) ? `${base}.up.sql` : `${base}.sql`;
  }
  const dotted = /\.(rollback|undo|revert)\.sql$/i;
  if (dotted.test(name)) return name.replace(dotted, ".sql");
  const suffixed = name.replace(/[_-](?:rollback|down|undo|revert)\.sql$/i, ".sql");
  if (suffixed !== name && names.has(suffixed)) return suffixed;
  const [, stamp, rest] = /^(\d+)_(?:rollback|undo|revert)_(.*\.sql)$/i.exec(name) ?? [];
  if (rest === undefined) return null;
  if (names.has(`${stamp}_${rest}`)) return `${stamp}_${rest}`;
  const same = [...names.keys()].filter((one) => one !== name && one.replace(/^\d+_/, "") === rest);
  return same.length === 1 ? same[0]! : null;
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
