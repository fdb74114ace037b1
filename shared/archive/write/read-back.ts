import { Buffer } from "node:buffer";
import { BelayError, isBelayError } from "../../errors.ts";
import type { ObjectStore } from "../../store/types.ts";
import { type MemberDecoder, splitMembers } from "../compression/members.ts";
import { hashing } from "../digesting.ts";
import { endMarker, newlines } from "../format/copy-text.ts";
import { inOrder } from "../in-order.ts";
import type { ArchivedObject } from "../types.ts";
import type { WrittenRows } from "./write-table.ts";

const newlinesOfEnd = 3;
const decodedAtATime = 3;

/** Reads a table's data file back from the store and decodes and counts all of it; throws `archive_unverified`. */
export async function readBackRows(
  store: ObjectStore,
  key: string,
  written: WrittenRows,
  decoder: MemberDecoder,
): Promise<void> {
  await judged(() => decodeAndCount(store, key, written, decoder));
}

/** What says, of an object just written, that it is damaged or not there makes the archive unverified. */
export async function judged(readBack: () => Promise<void>): Promise<void> {
  try {
    await readBack();
  } catch (error) {
    const missing = isBelayError(error, "store_missing_object");
    throw missing || isBelayError(error, "archive_invalid") ? unverified(error.message) : error;
  }
}

async function decodeAndCount(
  store: ObjectStore,
  key: string,
  written: WrittenRows,
  decoder: MemberDecoder,
): Promise<void> {
  const { file } = written.object;
  const stored = hashing();
  const found = { bytes: -endMarker.length, rows: -newlinesOfEnd };
  let end: Uint8Array = new Uint8Array(0);
  const members = splitMembers(stored.pass(store.read(key)), file);
  const ends = inOrder(members, decodedAtATime, async (member) => {
    let tail: Uint8Array = new Uint8Array(0);
    await decoder.decode(member, file, (rows) => {
      found.bytes += rows.length;
      found.rows += newlines(rows);
      tail = tailOf(tail, rows);
    });
    return tail;
  });
  for await (const tail of ends) end = tail;
  requireSame(written.object, stored.finish());
  if (Buffer.compare(end, endMarker) !== 0) throw unverified(`${file} does not end as a data file does`);
  if (found.rows !== written.rows) throw unverified(`${file} holds ${found.rows} rows instead of ${written.rows}`);
  if (found.bytes !== written.rawBytes)
    throw unverified(`${file} holds ${found.bytes} bytes of rows instead of ${written.rawBytes}`);
}

/** Reads an object back and compares size and sha256; throws `archive_unverified`. */
export async function readBackObject(store: ObjectStore, key: string, written: ArchivedObject): Promise<void> {
  const stored = hashing();
  await judged(async () => {
    for await (const _ of stored.pass(store.read(key)));
  });
  requireSame(written, stored.finish());
}

function requireSame(written: ArchivedObject, found: { bytes: number; sha256: string }): void {
  if (found.bytes !== written.bytes)
    throw unverified(`${written.file} has ${found.bytes} bytes instead of ${written.bytes}`);
  if (found.sha256 !== written.sha256) throw unverified(`${written.file} has another sha256 than was written`);
}

/** The last bytes of what was seen so far, as many as an end marker has. */
function tailOf(before: Uint8Array, rows: Buffer): Uint8Array {
  const last = Buffer.from(rows.subarray(-endMarker.length));
  return last.length === endMarker.length ? last : Buffer.concat([before, last]).subarray(-endMarker.length);
}

export function unverified(problem: string): BelayError {
  return new BelayError("archive_unverified", `the archive is not what was written: ${problem}`, {
    hint: "Nothing was published. Look at the store's health and run the same command again.",
    details: { problems: [problem] },
  });
}
