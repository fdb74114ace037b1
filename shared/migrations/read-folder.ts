import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BelayError } from "../errors.ts";
import { commentLines } from "../sql/comments.ts";
import { readSectionLayout } from "./layouts/section.ts";
import type { LayoutReading, SourceFile, SourceFolder } from "./layouts/source.ts";
import { readUpDownPairs } from "./layouts/up-down-pair.ts";
import { resolveMigrations } from "./resolve.ts";
import type { LayoutName, LayoutProblem, MigrationFolder } from "./types.ts";

const rollbackFolders = ["rollbacks", "rollback"];

/** Reads a migrations folder; the layout is told from the files when not given. Throws `layout_invalid` when there is no such folder. */
export async function readMigrationFolder(directory: string, layout?: LayoutName): Promise<MigrationFolder> {
  const problems: LayoutProblem[] = [];
  const files = await readSqlFiles(directory, problems);
  if (files === null)
    throw new BelayError("layout_invalid", `there is no migrations folder ${directory}`, {
      hint: "Pass --migrations DIR.",
    });
  const rollbacks = await Promise.all(rollbackFolders.map((name) => readSqlFiles(join(directory, name), problems)));
  const folder: SourceFolder = { directory, files, rollbacks: rollbacks.flatMap((found) => found ?? []) };
  const chosen = layout ?? detectLayout(folder);
  const reading = readers[chosen](folder);
  const resolved = resolveMigrations(reading.migrations);
  const all = [...problems, ...reading.problems, ...resolved.problems];
  return { directory, layout: chosen, migrations: resolved.migrations, problems: all.sort(byPlace) };
}

const readers: Record<LayoutName, (folder: SourceFolder) => LayoutReading> = {
  section: (folder) => readSectionLayout(folder, "section"),
  "rollbacks-folder": (folder) => readSectionLayout(folder, "rollbacks-folder"),
  "up-down-pair": readUpDownPairs,
};

/** The layout that a folder's files show: pairs, else sections, else a rollbacks folder. */
export function detectLayout(folder: SourceFolder): LayoutName {
  if (folder.files.some((file) => /\.(up|down)\.sql$/i.test(file.name))) return "up-down-pair";
  const hasSection = folder.files.some((file) =>
    commentLines(file.text).some((comment) => comment.startsLine && /^[\s=*#-]*ROLLBACK\s+START\b/i.test(comment.text)),
  );
  return !hasSection && folder.rollbacks.length > 0 ? "rollbacks-folder" : "section";
}

async function readSqlFiles(directory: string, problems: LayoutProblem[]): Promise<SourceFile[] | null> {
  const found = await readdir(directory, { withFileTypes: true }).catch(() => null);
  if (found === null) return null;
  const names = found.filter((entry) => !entry.isDirectory() && /\.sql$/i.test(entry.name)).map((entry) => entry.name);
  const files: SourceFile[] = [];
  for (const name of names.sort()) {
    const path = join(directory, name);
    const text = await readText(path);
    if (text !== null) files.push({ path, name, text });
    else
      problems.push({
        code: "unreadable",
        severity: "error",
        message: `${name} is not readable as UTF-8 text`,
        place: { file: path, line: 1 },
      });
  }
  return files;
}

async function readText(path: string): Promise<string | null> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path));
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

function byPlace(a: LayoutProblem, b: LayoutProblem): number {
  return a.place.file < b.place.file ? -1 : a.place.file > b.place.file ? 1 : a.place.line - b.place.line;
}
