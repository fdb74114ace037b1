import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { placeOf } from "../sql/blank.ts";
import { problemAt, type SourceFile, type SourceFolder, type SourceSubfolder } from "./layouts/source.ts";
import type { LayoutProblem } from "./types.ts";

const settingsFile = /^metadata\.toml$|\.sql\.conf$/;
// As goose, Flyway, golang-migrate's users and others keep them beside SQL.
const otherLanguage = /^(?:\d+[_.-]|[VU]\d+(?:[._]\d+)*__).*\.(?:go|js|mjs|cjs|ts|py|rb|java|kt|fizz|exs)$/;
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
    } else if (name === "" && otherLanguage.test(entry.name)) {
      const message = `${entry.name} is a migration that is not SQL: Belay does not read it, and cannot roll it back`;
      problems.push(problemAt({ path: at }, 1, "left_out", message, "warning"));
    } else if (settingsFile.test(entry.name)) settings.set(at, await readSettings(at));
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
      if (typeof text === "string") files.push({ path, name, text });
      else problems.push(problemAt({ path }, text.line, "unreadable", `${name} ${text.why}`));
    });
  }
  return files;
}

async function readSettings(path: string): Promise<string> {
  const text = await readText(path);
  return typeof text === "string" ? text : "";
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

interface Unreadable {
  readonly why: string;
  readonly line: number;
}

async function readText(path: string): Promise<string | Unreadable> {
  const bytes = await readFile(path).catch((error: unknown) => error);
  if (!(bytes instanceof Uint8Array)) {
    const code = (bytes as { readonly code?: string }).code ?? String(bytes);
    return { why: `cannot be opened: ${code}`, line: 1 };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const at = text.indexOf("\0");
    return at === -1 ? text : { why: "holds a NUL byte, which Postgres takes in no text", line: lineAt(text, at) };
  } catch {
    if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
      return { why: "is UTF-16: save it as UTF-8", line: 1 };
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    return { why: "is not UTF-8: save it as UTF-8", line: lineAt(text, text.indexOf("\uFFFD")) };
  }
}

function lineAt(text: string, at: number): number {
  return placeOf(text, at).line;
}
