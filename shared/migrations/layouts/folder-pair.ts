import type { LayoutProblem, Migration } from "../types.ts";
import { buildMigration } from "./build.ts";
import { type LayoutReading, problemAt, type SourceFolder, type SourceSubfolder } from "./source.ts";

/** Forward files in their order of preference: diesel's, Prisma's. */
export const forwardNames = ["up.sql", "migration.sql"] as const;

/** The version in a folder's name, with its dashes; diesel's own table has it without them. */
export function folderVersion(name: string): string | null {
  return /^(\d[\d-]*)(?=_|$)/.exec(name)?.[1] ?? null;
}

/** `2024-01-02-000000_x/up.sql` and `down.sql` (diesel), `20240102000000_x/migration.sql` and `down.sql` (Prisma). */
export function readFolderPairs(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const migrations = folder.folders.flatMap((one) => readPair(folder, one, problems));
  return { migrations, problems };
}

function readPair(folder: SourceFolder, pair: SourceSubfolder, problems: LayoutProblem[]): Migration[] {
  const file = forwardNames.map((name) => pair.files.find((one) => one.name === name)).find((one) => one !== undefined);
  const down = pair.files.find((one) => one.name === "down.sql");
  if (file === undefined && down !== undefined)
    problems.push(problemAt(down, 1, "orphan_rollback", `${pair.name} holds down.sql, but no up.sql`, "warning"));
  const version = folderVersion(pair.name);
  if (file === undefined) return [];
  if (version === null) {
    const message = `the folder ${pair.name} has no version at the start of its name and was left out`;
    problems.push(problemAt(file, 1, "left_out", message, "warning"));
    return [];
  }
  const transactional = runsInTransaction(folder, file.path);
  return [
    buildMigration(
      {
        name: pair.name,
        version,
        layout: "folder-pair",
        file,
        forwardSql: file.text,
        rollback: down === undefined ? null : { file: down, sql: down.text, line: 1 },
        transactional: { up: transactional, down: transactional },
      },
      problems,
    ),
  ];
}

// diesel: metadata.toml beside up.sql.
function runsInTransaction(folder: SourceFolder, path: string): boolean {
  const settings = folder.settings.get(path.replace(/[^\\/]*$/, "metadata.toml"));
  return settings === undefined || !/^[ \t]*run_in_transaction[ \t]*=[ \t]*false\b/m.test(settings);
}
