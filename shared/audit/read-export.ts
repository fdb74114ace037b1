import { csvColumns } from "./export-format.ts";
import { type HashedRow, isRowHash } from "./row-hash.ts";
import type { WalkedRow } from "./walk.ts";

/** What an export holds, line by line; `broken`: why a line is none of it. */
export type ExportItem =
  | { readonly kind: "row"; readonly row: WalkedRow }
  | { readonly kind: "anchor" | "end"; readonly value: unknown }
  | { readonly kind: "broken"; readonly why: string };

/** Longest line (characters) that is read. */
const longest = 256 * 1024 * 1024;

/** Reads an export of either format, told apart by its first character. Memory holds a line. */
export async function* readExport(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ExportItem> {
  let csv: boolean | null = null;
  let number = 0;
  for await (const record of records(chunks)) {
    csv ??= !record.trimStart().startsWith("{");
    number += 1;
    if (csv && number === 1) {
      if (record !== csvColumns.join(",")) yield { kind: "broken", why: "it does not begin as an export does" };
    } else if (record !== "") yield csv ? csvItem(record, number) : jsonItem(record, number);
  }
}

/** What comes before the details, they themselves, and what comes after: no string in JSON holds a bare quote. */
const rowLine = /^(\{"id":(-?\d{1,19}),.*?),"details":(.*)(,"previousHash":"[^"\\]*","hash":"[^"\\]*"\})$/s;

function jsonItem(line: string, number: number): ExportItem {
  try {
    if (line.startsWith('{"anchor":') || line.startsWith('{"end":')) {
      const [[kind, value]] = Object.entries(JSON.parse(line)) as [[string, unknown]];
      return { kind: kind as "anchor" | "end", value };
    }
    const [, before, id, details, after] = rowLine.exec(line) ?? [];
    if (id === undefined) return { kind: "broken", why: `line ${number} is not a row` };
    const fields = { ...JSON.parse(`${before}}`), ...JSON.parse(`{${after!.slice(1)}`) };
    return rowItem({ ...fields, id, details }, number);
  } catch {
    return { kind: "broken", why: `line ${number} is not JSON` };
  }
}

function csvItem(record: string, number: number): ExportItem {
  const fields = csvFields(record);
  const broken = { kind: "broken", why: `line ${number} is not a row` } as const;
  if (fields?.length !== csvColumns.length) return broken;
  const [id, occurredAt, actor, action, subject, details, previousHash, hash] = fields as string[];
  try {
    if (id === "anchor" || id === "end") return { kind: id, value: JSON.parse(details!) };
    return rowItem({ id, occurredAt, actor, action, subject, details, previousHash, hash }, number);
  } catch {
    return broken;
  }
}

const names = ["id", "occurredAt", "actor", "action", "subject", "details", "previousHash", "hash"];

function rowItem(fields: Record<string, unknown>, number: number): ExportItem {
  const whole = Object.keys(fields).length === names.length && names.every((name) => typeof fields[name] === "string");
  const row = fields as unknown as HashedRow & { readonly hash: string };
  if (!whole || !/^-?(0|[1-9]\d{0,18})$/.test(row.id)) return { kind: "broken", why: `line ${number} is not a row` };
  const { previousHash, hash } = row;
  return { kind: "row", row: { id: BigInt(row.id), previousHash, hash, own: isRowHash(row, hash) } };
}

/** Lines; a line end within double quotes belongs to the line where the text is CSV. */
async function* records(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let csv: boolean | null = null;
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    if (csv === null && rest.trim() !== "") csv = !rest.trimStart().startsWith("{");
    let start = 0;
    for (let end = lineEnd(rest, start, csv === true); end >= 0; end = lineEnd(rest, start, csv === true)) {
      yield rest.slice(start, end).replace(/\r$/, "");
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > longest) throw new RangeError("a line is too long");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest.replace(/\r$/, "");
}

function lineEnd(text: string, from: number, quotes: boolean): number {
  let end = text.indexOf("\n", from);
  while (quotes && end >= 0 && oddQuotes(text, from, end)) end = text.indexOf("\n", end + 1);
  return end;
}

function oddQuotes(text: string, from: number, to: number): boolean {
  let odd = false;
  for (let at = text.indexOf('"', from); at >= 0 && at < to; at = text.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

/** The fields of one CSV record (RFC 4180); null when its quotes are wrong. */
function csvFields(record: string): string[] | null {
  const fields: string[] = [];
  for (let at = 0; at <= record.length; ) {
    if (record[at] !== '"') {
      const end = record.indexOf(",", at) < 0 ? record.length : record.indexOf(",", at);
      fields.push(record.slice(at, end));
      at = end + 1;
      continue;
    }
    const match = /"((?:[^"]|"")*)"(,|$)/y;
    match.lastIndex = at;
    const quoted = match.exec(record);
    if (quoted === null) return null;
    fields.push(quoted[1]!.replaceAll('""', '"'));
    at = match.lastIndex;
    if (quoted[2] === "") break;
    if (at === record.length) fields.push("");
    if (at === record.length) break;
  }
  return fields;
}
