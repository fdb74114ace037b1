import { Buffer, isUtf8 } from "node:buffer";
import { copyColumnCount } from "../format/copy-statement.ts";
import { counted } from "../format/copy-text.ts";
import { damaged } from "../format/damage.ts";

const tab = 9;
const newline = 10;
const carriageReturn = 13;
/** Postgres takes no line of COPY text beyond this (MaxAllocSize). */
const longestRow = 2 ** 30 - 1;

export interface CopyCheck {
  readonly rows: number;
  readonly bytes: number;
  /** What is wrong with rows that are whole. */
  readonly problems: readonly string[];
}

/** Reads the rows of a COPY statement, without their end marker: checked when it is as pg_dump writes it, else only read. */
export async function checkRowsOf(
  statement: string,
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly encoding: string; readonly what: string },
): Promise<CopyCheck> {
  const columns = copyColumnCount(statement);
  if (columns !== null)
    return await checkCopyRows(chunks, { ...options, columns: columns === "none" ? null : columns });
  const count = { rows: 0, bytes: 0 };
  for await (const _ of counted(chunks, count));
  return { ...count, problems: [] };
}

/**
 * Reads COPY text as the server would: every row has `columns` columns (as many as the first one when null), and its
 * bytes are of the encoding. Throws `archive_invalid` where no later row can be trusted.
 */
export async function checkCopyRows(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly columns: number | null; readonly encoding: string; readonly what: string },
): Promise<CopyCheck> {
  const { what } = options;
  const text = options.encoding === "UTF8" ? new Utf8Check() : null;
  let expected = options.columns === null ? null : Math.max(0, options.columns - 1);
  let rows = 0;
  let bytes = 0;
  let rowStart = 0;
  let tabs = 0;
  let wrong = 0;
  let firstWrong = "";
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte > carriageReturn) continue;
      if (byte === tab) tabs += 1;
      else if (byte === newline) {
        rows += 1;
        expected ??= tabs;
        if (tabs !== expected) {
          wrong += 1;
          if (wrong === 1) firstWrong = `row ${rows} has ${tabs + 1} columns instead of ${expected + 1}`;
        }
        tabs = 0;
        rowStart = bytes + at + 1;
      } else if (byte === 0) throw damaged(`${what} has a NUL byte in row ${rows + 1}: that is no COPY text`);
      else if (byte === carriageReturn)
        throw damaged(
          `${what} has a carriage return in row ${rows + 1}`,
          "Its line ends were changed on the way, perhaps by a copy in text mode. Copy it again in binary mode.",
        );
    }
    bytes += chunk.length;
    if (bytes - rowStart > longestRow) throw damaged(`${what} has a row of more than 1 GB: row ${rows + 1}`);
    if (text !== null && !text.next(chunk)) throw damaged(`${what} is not UTF-8 near row ${rows + 1}`);
  }
  const problems = wrong === 0 ? [] : [`${what}: ${firstWrong}${wrong === 1 ? "" : `, and ${wrong - 1} more rows`}`];
  if (text !== null && !text.ended()) problems.push(`${what} ends within a character`);
  return { rows, bytes, problems };
}

/** Checks a stream for UTF-8; a character may be cut between two chunks. */
class Utf8Check {
  #rest: Buffer = Buffer.alloc(0);

  next(chunk: Uint8Array): boolean {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = bytes.length - unfinished(bytes);
    this.#rest = Buffer.from(bytes.subarray(whole));
    return isUtf8(bytes.subarray(0, whole));
  }

  ended(): boolean {
    return this.#rest.length === 0;
  }
}

/** Bytes at the end that begin a character and do not finish it. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}
