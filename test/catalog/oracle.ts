import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readToc, type TocEntry } from "../../shared/archive/format/toc.ts";
import { entryKey } from "../../shared/catalog/entry.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog, Entry } from "../../shared/catalog/types.ts";
import { openSession } from "../../shared/postgres/session.ts";

const run = promisify(execFile);

/** Written by the archive writer, not by the catalog reader. */
const databaseLevel = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"]);
const fields = ["owner", "section", "tablespace", "tableam", "create", "drop"] as const;

export interface OracleDifference {
  readonly kind: string;
  readonly what: "missing" | "extra" | "changed" | "order";
  readonly key: string;
  readonly text: string;
}

type Comparable = Pick<Entry, "key" | "kind" | "schema" | "name" | (typeof fields)[number]>;

/** Dumps with Debian's pg_dump 15 and compares every entry with Belay's reader. Empty means equal. */
export async function compareWithPgDump(
  url: string,
  options: { kinds?: readonly string[]; pgDump?: string } = {},
): Promise<OracleDifference[]> {
  const expected = await pgDumpEntries(url, options.pgDump);
  const session = await openSession(url);
  try {
    const catalog = await readCatalog(session, { excludeSchemas: [] });
    const wanted = (kind: string) => options.kinds === undefined || options.kinds.includes(kind);
    return [...compare(expected, catalog), ...orderMistakes(catalog)].filter((found) => wanted(found.kind));
  } finally {
    await session.close();
  }
}

export function formatDifferences(differences: readonly OracleDifference[]): string {
  return differences.map((found) => `${found.what} ${found.key}\n${found.text}`).join("\n");
}

const pgDump15 = "/usr/lib/postgresql/15/bin/pg_dump";

/** The toc.dat of `pg_dump -Fd -s`, database-level entries left out. */
export async function pgDumpEntries(url: string, pgDump = pgDump15): Promise<TocEntry[]> {
  const entries = await pgDumpToc(url, ["-s"], pgDump);
  return entries.filter((entry) => !databaseLevel.has(entry.desc) && !/^DATABASE /.test(entry.tag));
}

/** All entries of the toc.dat that pg_dump writes. */
export async function pgDumpToc(url: string, options: readonly string[] = [], pgDump = pgDump15): Promise<TocEntry[]> {
  const folder = await mkdtemp(join(tmpdir(), "belay-oracle-"));
  try {
    const target = join(folder, "dump");
    await run(pgDump, ["-Fd", ...options, "-f", target, "-d", url], { env: { ...process.env, PGTZ: "UTC" } });
    return [...readToc(await readFile(join(target, "toc.dat"))).entries];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function compare(expected: readonly TocEntry[], catalog: Catalog): OracleDifference[] {
  const theirs = numbered(expected.map(comparable));
  const ours = numbered(catalog.entries.map((entry) => ({ ...entry })));
  const found: OracleDifference[] = [];
  for (const [key, entry] of theirs) {
    const mine = ours.get(key);
    if (mine === undefined) found.push({ kind: entry.kind, what: "missing", key, text: indent(entry.create) });
    else found.push(...changedFields(key, entry, mine));
  }
  for (const [key, entry] of ours)
    if (!theirs.has(key)) found.push({ kind: entry.kind, what: "extra", key, text: indent(entry.create) });
  return found;
}

function changedFields(key: string, expected: Comparable, actual: Comparable): OracleDifference[] {
  const texts = fields
    .filter((field) => expected[field] !== actual[field])
    .map((field) => `  ${field}\n${lineDifference(expected[field], actual[field])}`);
  return texts.length === 0 ? [] : [{ kind: expected.kind, what: "changed", key, text: texts.join("\n") }];
}

function comparable(entry: TocEntry): Comparable {
  const named = { kind: entry.desc, schema: entry.namespace, name: entry.tag, owner: entry.owner };
  return {
    ...named,
    key: entryKey(named),
    section: entry.section,
    create: entry.defn ?? "",
    drop: entry.dropStmt,
    tablespace: entry.tablespace,
    tableam: entry.tableam,
  };
}

/** Same numbering of equal names as the reader's, so that two entries of one name meet their like. */
function numbered(entries: readonly Comparable[]): Map<string, Comparable> {
  const sorted = [...entries].sort((a, b) => (a.create < b.create ? -1 : a.create > b.create ? 1 : 0));
  const map = new Map<string, Comparable>();
  for (const entry of sorted) {
    const key = entryKey(entry);
    let name = key;
    for (let count = 2; map.has(name); count++) name = `${key} #${count}`;
    map.set(name, entry);
  }
  return map;
}

/** Every entry must stand behind all that it needs. */
function orderMistakes(catalog: Catalog): OracleDifference[] {
  const position = new Map(catalog.entries.map((entry, index) => [entry.key, index]));
  return catalog.entries.flatMap((entry, index) =>
    entry.dependencies
      .filter((key) => (position.get(key) ?? -1) > index)
      .map((key) => ({ kind: entry.kind, what: "order" as const, key: entry.key, text: `  stands before ${key}` })),
  );
}

function lineDifference(expected: string | null, actual: string | null): string {
  if (expected === null || actual === null) return `  - ${JSON.stringify(expected)}\n  + ${JSON.stringify(actual)}`;
  const [theirs, ours] = [expected.split("\n"), actual.split("\n")];
  const lines: string[] = [];
  for (let index = 0; index < Math.max(theirs.length, ours.length); index++) {
    if (theirs[index] === ours[index]) continue;
    if (theirs[index] !== undefined) lines.push(`  - ${theirs[index]}`);
    if (ours[index] !== undefined) lines.push(`  + ${ours[index]}`);
  }
  return lines.join("\n");
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
