import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Loss, lostSequences } from "./losses.ts";
import { project, type Row, type State, sorted } from "./state.ts";
import { stock } from "./stock.ts";

interface Block {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

interface ArchiveManifest {
  readonly tables: readonly {
    schema: string;
    table: string;
    mergesInto: { schema: string; table: string; key: string[]; columns: string[] } | null;
  }[];
  readonly sequences: readonly { schema: string; name: string; lastValue: string; isCalled: boolean }[];
}

/** What was lost and is not in the archive, as stock pg_restore prints it; empty when everything is there. */
export async function notArchived(
  folder: string | null,
  lost: readonly Loss[],
  before: State,
  after: State,
): Promise<string[]> {
  const sequences = lostSequences(before, after);
  if (folder === null) return lost.map(({ table }) => `${table.name} was lost without an archive`);
  const manifest: ArchiveManifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  const text = await stock("pg_restore", ["--data-only", "-f", "-", folder]);
  const blocks = new Map(copyBlocks(text).map((block) => [block.name, block]));
  const missing = lost.flatMap((loss) => missingRows(loss, blocks, manifest));
  for (const [name, value] of sequences) {
    const held = manifest.sequences.find((one) => sameName(name, one.schema, one.name));
    if (held === undefined) missing.push(`sequence ${name} is not in the archive`);
    else if (`${held.lastValue}/${held.isCalled}` !== value)
      missing.push(`sequence ${name} was ${value}, the archive has ${held.lastValue}/${held.isCalled}`);
  }
  return missing;
}

function missingRows(loss: Loss, blocks: ReadonlyMap<string, Block>, manifest: ArchiveManifest): string[] {
  const { table } = loss;
  const whole = blocks.get(table.name);
  const stored = table.columns.filter(({ generated }) => !generated).map(({ name }) => name);
  if (whole !== undefined) return compare(table.name, project(table, stored), whole, stored);
  if (loss.kind === "table") return [`${table.name} (${loss.why}) is not in the archive`];
  const side = manifest.tables.find(
    ({ mergesInto }) => mergesInto !== null && sameName(table.name, mergesInto.schema, mergesInto.table),
  );
  const block = side === undefined ? undefined : blocks.get(`${side.schema}.${quoted(side.table)}`);
  if (side === undefined || block === undefined)
    return [`columns ${loss.columns} of ${table.name} are not in the archive`];
  const columns = [...new Set([...side.mergesInto!.key, ...loss.columns])];
  return compare(table.name, project(table, columns), block, columns);
}

function compare(name: string, rows: readonly Row[], block: Block, columns: readonly string[]): string[] {
  const absent = columns.filter((column) => !block.columns.includes(column));
  if (absent.length > 0) return [`columns ${absent} of ${name} are not in the archive`];
  const own = block.columns.map((column, index) => ({ number: index, name: column, generated: false }));
  const held = sorted(project({ columns: own, rows: block.rows }, columns));
  const wanted = sorted(rows);
  return held.join() === wanted.join() ? [] : [`rows of ${name}: ${wanted} were lost, the archive has ${held}`];
}

function sameName(name: string, schema: string, table: string): boolean {
  return (
    name === `${schema}.${table}` ||
    name === `${quoted(schema)}.${quoted(table)}` ||
    name === `${schema}.${quoted(table)}`
  );
}

// Words that need quotes only because they are reserved are quoted by the server: both spellings are looked for.
function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function copyBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const head = lines[at]!.match(/^COPY (.+?)(?: \((.*)\))? FROM stdin;$/);
    if (head === null) continue;
    const rows: Row[] = [];
    for (at++; lines[at] !== "\\."; at++) rows.push(lines[at]!.split("\t").map(unescaped));
    const columns = (head[2] ?? "").split(", ").map((name) => name.replace(/^"(.*)"$/, "$1").replaceAll('""', '"'));
    blocks.push({ name: head[1]!, columns, rows });
  }
  return blocks;
}

const escapes: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

function unescaped(field: string): string | null {
  if (field === "\\N") return null;
  return field.replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}
