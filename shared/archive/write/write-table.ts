import { copyOut } from "../../postgres/copy.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import { blockBytes, type MemberEncoder } from "../compression/members.ts";
import { hashing } from "../digesting.ts";
import { endMarker } from "../format/copy-text.ts";
import { inOrder } from "../in-order.ts";
import type { ArchivedObject } from "../types.ts";
import { copyOutStatement } from "./copy-statement.ts";
import type { TableToArchive } from "./layout.ts";

/** A table's rows as they went into the store. */
export interface WrittenRows {
  /** By the server's word. */
  readonly rows: number;
  /** Bytes of COPY text, the end marker not counted. */
  readonly rawBytes: number;
  readonly object: ArchivedObject;
}

export interface RowsToWrite {
  readonly store: ObjectStore;
  readonly key: string;
  readonly file: string;
  readonly table: TableToArchive;
  readonly encoder: MemberEncoder;
  /** Hears of each block of COPY text and may throw. */
  onBytes(bytes: number): void;
}

/** Blocks that are compressed at a time: two cores are never idle, and memory stays small. */
const compressedAtATime = 3;

/**
 * Streams one table: COPY, gzip, sha256, store. `read` is settled as soon as the reader is free again, `written` when
 * the store has it all; both reject when either fails.
 */
export function writeRows(reader: Session, to: RowsToWrite): { read: Promise<void>; written: Promise<WrittenRows> } {
  const reading = Promise.withResolvers<void>();
  const count = { rows: 0, bytes: 0 };
  const stored = hashing();
  const rows = copyOut(reader, copyOutStatement(to.table), { blockBytes });
  const blocks = dataFile(rows, to.onBytes, count, reading.resolve);
  const members = inOrder(blocks, compressedAtATime, async (block) => {
    const member = await to.encoder.encode(block);
    rows.recycle(block);
    return member;
  });
  const writing = to.store.write(to.key, stored.pass(members), {
    createOnly: true,
    syncLater: true,
    sizeHint: to.table.sizeHint,
    contentType: "application/gzip",
  });
  const written = writing.then(() => ({
    rows: count.rows,
    rawBytes: count.bytes,
    object: { file: to.file, ...stored.finish() },
  }));
  written.catch(reading.reject);
  return { read: reading.promise, written };
}

/** The blocks of a data file: the rows, and the end marker with the last of them. */
async function* dataFile(
  rows: AsyncGenerator<Uint8Array, number>,
  onBytes: RowsToWrite["onBytes"],
  count: { rows: number; bytes: number },
  onRead: () => void,
): AsyncGenerator<Uint8Array> {
  let last: Uint8Array = new Uint8Array(0);
  let next = await rows.next();
  for (; !next.done; next = await rows.next()) {
    count.bytes += next.value.length;
    onBytes(next.value.length);
    if (last.length > 0) yield last;
    last = next.value;
  }
  count.rows = next.value;
  onRead();
  yield Buffer.concat([last, endMarker]);
}
