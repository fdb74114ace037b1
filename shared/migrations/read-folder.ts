import { BelayError } from "../errors.ts";
import { readDbmate } from "./layouts/dbmate.ts";
import { detectLayout } from "./layouts/detect.ts";
import { readFlyway } from "./layouts/flyway.ts";
import { readFolderPairs } from "./layouts/folder-pair.ts";
import { readGoose } from "./layouts/goose.ts";
import { leftOut } from "./layouts/left-out.ts";
import { readPlain } from "./layouts/plain.ts";
import { signsOf } from "./layouts/signs.ts";
import type { LayoutReading, SourceFolder } from "./layouts/source.ts";
import { readSqlMigrate } from "./layouts/sql-migrate.ts";
import { trapProblems } from "./layouts/traps.ts";
import { readUpDownPairs } from "./layouts/up-down-pair.ts";
import { readTree } from "./read-tree.ts";
import { resolveMigrations } from "./resolve.ts";
import type { LayoutName, LayoutProblem, MigrationFolder } from "./types.ts";

const readers: Record<LayoutName, (folder: SourceFolder) => LayoutReading> = {
  section: (folder) => readPlain(folder, "section"),
  "rollbacks-folder": (folder) => readPlain(folder, "rollbacks-folder"),
  prefix: (folder) => readPlain(folder, "prefix"),
  "mirror-folder": (folder) => readPlain(folder, "mirror-folder"),
  "up-down-pair": readUpDownPairs,
  dbmate: readDbmate,
  goose: readGoose,
  flyway: readFlyway,
  "folder-pair": readFolderPairs,
  "sql-migrate": readSqlMigrate,
};

/** Reads a migrations folder; the layout is told from the files when not given. Throws `layout_invalid` when there is no such folder. */
export async function readMigrationFolder(directory: string, layout?: LayoutName): Promise<MigrationFolder> {
  const problems: LayoutProblem[] = [];
  const folder = await readTree(directory, problems);
  if (folder === null)
    throw new BelayError("layout_invalid", `there is no migrations folder ${directory}`, {
      hint: "Pass --migrations DIR.",
    });
  const signs = signsOf(folder);
  const found = detectLayout(directory, signs, layout);
  const reading = readers[found.layout](folder);
  const resolved = resolveMigrations(reading.migrations);
  const traps = trapProblems(folder, found.layout, reading.migrations);
  const told = [...problems, ...found.problems, ...reading.problems, ...resolved.problems, ...traps];
  const all = [...told, ...leftOut(signs, found.layout, reading.migrations, told)];
  return {
    directory,
    layout: found.layout,
    detection: found.detection,
    migrations: resolved.migrations,
    problems: all.sort(byPlace),
  };
}

function byPlace(a: LayoutProblem, b: LayoutProblem): number {
  return a.place.file < b.place.file ? -1 : a.place.file > b.place.file ? 1 : a.place.line - b.place.line;
}
