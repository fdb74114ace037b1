import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { problemAt, type SourceFile, type SourceFolder, type SourceSubfolder } from "./layouts/source.ts";
import type { LayoutProblem } from "./types.ts";

const settingsFile = /^metadata\.toml$|\.sql\.conf$/;
const filesAtOnce = 32;

interface Found {
  readonly name: string;
  readonly path: string;
}

/** The `.sql` files of a folder and of all beneath it; null without such a folder. Hidden folders and node_modules are passed over. */
export async function readTree(directory: string, problems: LayoutProblem[]): Promise<SourceFolder | null> {
  const isFolder = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return null;
  const settings = new Map<string, string>();
  const top = await readFolder(directory, "", problems, settings);
  return { directory, files: top[0]!.files, folders: top.slice(1), settings };
}

async function readFolder(
  path: string,
  name: string,
  problems: LayoutProblem[],
  settings: Map<string, string>,
): Promise<SourceSubfolder[]> {
  const entries = (await readdir(path, { withFileTypes: true }).catch(() => null)) ?? [];
  const sql: Found[] = [];
  const beneath: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && entry.name !== "node_modules") beneath.push(entry.name);
    } else if (entry.isSymbolicLink() && (await isDirectory(at))) {
      const message = `${entry.name} is a link to a folder, which is not followed: name that folder with --migrations`;
      problems.push(problemAt({ path: at }, 1, "left_out", message, "warning"));
    } else if (settingsFile.test(entry.name)) settings.set(at, (await readText(at)) ?? "");
    else if (/\.sql$/i.test(entry.name)) sql.push({ name: entry.name, path: at });
  }
  const files = await readFiles(sql, problems);
  const folders: SourceSubfolder[] = [{ name, files }];
  for (const inner of beneath) {
    const innerName = name === "" ? inner : `${name}/${inner}`;
    for (const one of await readFolder(join(path, inner), innerName, problems, settings)) folders.push(one);
  }
  return folders;
}

async function readFiles(found: readonly Found[], problems: LayoutProblem[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (let from = 0; from < found.length; from += filesAtOnce) {
    const some = found.slice(from, from + filesAtOnce);
    const texts = await Promise.all(some.map(({ path }) => readText(path)));
    some.forEach(({ name, path }, index) => {
      const text = texts[index]!;
      if (text !== null) files.push({ path, name, text });
      else problems.push(problemAt({ path }, 1, "unreadable", `${name} is not readable as UTF-8 text`));
    });
  }
  return files;
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function readText(path: string): Promise<string | null> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path));
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}
