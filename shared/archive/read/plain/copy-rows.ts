import { Buffer } from "node:buffer";
import type { ScriptReader } from "./reader.ts";
import { refuseScript } from "./refuse.ts";

const newline = 0x0a;
const endMarker = Buffer.from("\n\\.");
const longestRest = 64 * 1024;

/** COPY data begins on the next line; what stands behind the semicolon must be blank. */
export async function startsOnNextLine(reader: ScriptReader, line: number): Promise<void> {
  const rest = await reader.restOfLine(longestRest);
  if (!/^\s*(--.*)?$/.test(rest))
    throw refuseScript(reader.name, line, "something stands behind COPY ... FROM stdin; in its line");
  const { window } = reader;
  const found = window.bytes.indexOf(newline);
  reader.next(found === -1 ? window.bytes.length : found + 1);
}

/** The data of one COPY in the script. */
export interface CopyData {
  rows(): AsyncGenerator<Uint8Array>;
  /** Line breaks in the rows read so far. */
  readonly lines: number;
  /** Passes over the rows that nobody read: afterwards the reader stands behind the end marker. */
  finish(): Promise<void>;
}

/** The rows of a COPY up to its `\.` line. Reading them throws when it never comes. */
export function copyRows(reader: ScriptReader, line: number): CopyData {
  // The line break before the first row was dropped with the statement.
  const place = { atLineStart: true, over: false, marker: 0 };
  const first = reader.window.line;
  return {
    get lines() {
      // The end marker's own line was dropped with it.
      return reader.window.line - first - (place.over ? place.marker : 0);
    },
    async *rows() {
      for (let rows = await nextRows(reader, line, place); rows !== null; rows = await nextRows(reader, line, place))
        yield rows;
    },
    async finish() {
      while ((await nextRows(reader, line, place)) !== null);
    },
  };
}

interface CopyPlace {
  atLineStart: boolean;
  over: boolean;
  /** Line breaks of the end marker. */
  marker: number;
}

async function nextRows(reader: ScriptReader, line: number, place: CopyPlace): Promise<Uint8Array | null> {
  const { window } = reader;
  while (!place.over) {
    const bytes = window.bytes;
    const found = findEnd(bytes, place.atLineStart, reader.ended);
    if (found !== null) {
      place.over = true;
      const rows = take(reader, found.rows);
      const line = window.line;
      reader.next(found.end - found.rows);
      place.marker = window.line - line;
      return rows.length === 0 ? null : rows;
    }
    if (reader.ended) throw cut(reader, line);
    // What may be the beginning of the end marker stays.
    const sure = place.atLineStart && bytes.length < 4 ? 0 : lastSure(bytes);
    const rows = take(reader, sure);
    if (sure > 0) place.atLineStart = rows[sure - 1] === newline;
    await reader.pull();
    if (sure > 0) return rows;
  }
  return null;
}

function take(reader: ScriptReader, length: number): Uint8Array {
  const rows = Uint8Array.prototype.slice.call(reader.window.bytes, 0, length);
  reader.next(length);
  return rows;
}

function cut(reader: ScriptReader, line: number) {
  return refuseScript(
    reader.name,
    reader.window.lineAt(reader.window.bytes.length),
    `the rows of the COPY in line ${line} end without \\.`,
    "The script was cut. Use another archive.",
  );
}

/** Where the rows end and where the marker's line does; null when it is not in sight. */
function findEnd(bytes: Buffer, atLineStart: boolean, final: boolean): { rows: number; end: number } | null {
  if (atLineStart && bytes[0] === 0x5c && bytes[1] === 0x2e) {
    const end = markerEnd(bytes, 2, final);
    if (end !== null) return { rows: 0, end };
  }
  for (let at = bytes.indexOf(endMarker); at !== -1; at = bytes.indexOf(endMarker, at + 1)) {
    const end = markerEnd(bytes, at + 3, final);
    if (end !== null) return { rows: at + 1, end };
  }
  return null;
}

function markerEnd(bytes: Buffer, at: number, final: boolean): number | null {
  if (bytes[at] === newline) return at + 1;
  if (bytes[at] === 0x0d && bytes[at + 1] === newline) return at + 2;
  return final && (at === bytes.length || (bytes[at] === 0x0d && at + 1 === bytes.length)) ? bytes.length : null;
}

/** Bytes up to and with the last line break that cannot be the beginning of the end. */
function lastSure(bytes: Buffer): number {
  const from = Math.max(0, bytes.length - 4);
  const found = bytes.indexOf(newline, from);
  return found === -1 ? bytes.length : found;
}
