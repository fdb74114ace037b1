import { BelayError } from "../../errors.ts";

/** What ends the COPY text in an archive's data file: a line of backslash and dot, and two empty lines (format, section 5). */
export const endMarker = new TextEncoder().encode("\\.\n\n\n");
const newline = 10;

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

/** Takes the end marker off a data file's text; throws `archive_invalid` naming `what` when it is not there. */
export async function* withoutEndMarker(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  let tail: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const joined = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    const kept = Math.max(0, joined.length - endMarker.length);
    if (kept > 0) yield joined.subarray(0, kept);
    tail = joined.slice(kept);
  }
  if (Buffer.compare(tail, endMarker) !== 0)
    throw new BelayError("archive_invalid", `${what} does not end as a data file does: it was cut`, {
      hint: "The archive is damaged. Use another one.",
    });
}

function newlines(chunk: Uint8Array): number {
  let found = 0;
  for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) found += 1;
  return found;
}
