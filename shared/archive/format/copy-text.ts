import { Buffer } from "node:buffer";
import { damaged } from "./damage.ts";

/** What ends the COPY text in an archive's data file: a line of backslash and dot, and two empty lines (format, section 5). */
export const endMarker = new TextEncoder().encode("\\.\n\n\n");
const newline = 10;
const markerLine = Buffer.from("\n\\.\n");
/** The marker with the newline of the line before it. */
const markedLine = Buffer.concat([Uint8Array.of(newline), endMarker]);

/** Rows and bytes of COPY text: values never hold a bare newline, so newlines are rows. */
export interface CopyCount {
  rows: number;
  bytes: number;
}

/** Passes COPY text on and counts it. */
export async function* counted(chunks: AsyncIterable<Uint8Array>, count: CopyCount): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    count.bytes += chunk.length;
    count.rows += newlines(chunk);
    yield chunk;
  }
}

export async function* withEndMarker(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield endMarker;
}

/**
 * Takes the end marker off a data file's text. Throws `archive_invalid` naming `what` when it is not there, and when it
 * comes before the end: the server would leave the rows behind it without a word.
 */
export async function* withoutEndMarker(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  let tail: Buffer = Buffer.from([newline]);
  let begun = false;
  for await (const chunk of chunks) {
    const joined = Buffer.concat([tail, chunk]);
    const kept = Math.max(0, joined.length - markedLine.length);
    const early = joined.indexOf(markerLine);
    if (early !== -1 && early < kept) throw damaged(`${what} has rows behind its end marker`);
    // The newline that was put before the first line is not passed on.
    const from = begun ? 0 : 1;
    if (kept > from) yield joined.subarray(from, kept);
    begun ||= kept > 0;
    tail = joined.subarray(kept);
  }
  if (Buffer.compare(tail, markedLine) !== 0) throw damaged(`${what} does not end as a data file does: it was cut`);
  if (begun) yield Uint8Array.of(newline);
}

/** Newlines of a piece of COPY text: where rows end. */
export function newlines(chunk: Uint8Array): number {
  let found = 0;
  for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) found += 1;
  return found;
}
