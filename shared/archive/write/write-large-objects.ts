import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { ObjectStore } from "../../store/types.ts";
import { blockBytes, type MemberDecoder, type MemberEncoder, splitMembers } from "../compression/members.ts";
import { hashing } from "../digesting.ts";
import { inOrder } from "../in-order.ts";
import type { ArchivedLargeObject, ArchivedObject } from "../types.ts";
import { judged, unverified } from "./read-back.ts";

/** Large objects whose beginnings are read by one query. */
export const largeObjectsTogether = 32;

const compressedAtATime = 3;

export interface WrittenLargeObject {
  readonly largeObject: ArchivedLargeObject;
  readonly object: ArchivedObject;
}

export interface LargeObjectToWrite {
  readonly store: ObjectStore;
  readonly encoder: MemberEncoder;
  keyOf(file: string): string;
  /** Hears of each block and may throw. */
  onBytes(bytes: number): void;
}

/** Its file, without the suffix of its compression: what `blobs.toc` names. */
export function largeObjectFile(oid: number): string {
  return `blob_${oid}.dat`;
}

/** The first block of each, in their order: all there is of most. */
export async function readBeginnings(reader: Session, oids: readonly number[]): Promise<Uint8Array[]> {
  try {
    const rows = await reader.sql<{ bytes: Uint8Array }[]>`
      select pg_catalog.lo_get(oid::oid, 0, ${blockBytes}) as bytes
      from unnest(${oids.map(String)}::text[]) with ordinality as u (oid, place) order by place`;
    return rows.map(({ bytes }) => bytes);
  } catch (error) {
    throw databaseError(error, { doing: `reading large objects from ${oids[0]} on` });
  }
}

/** Streams one large object, whose beginning was read, into the store; `onRead` is called when the reader is free again. */
export async function writeLargeObject(
  reader: Session,
  oid: number,
  beginning: Uint8Array,
  to: LargeObjectToWrite,
  onRead: () => void,
): Promise<WrittenLargeObject> {
  const file = `${largeObjectFile(oid)}.gz`;
  const content = hashing();
  const stored = hashing();
  const blocks = content.pass(readBlocks(reader, oid, beginning, to.onBytes, onRead));
  const members = inOrder(blocks, compressedAtATime, (block) => to.encoder.encode(block));
  await to.store.write(to.keyOf(file), stored.pass(members), {
    createOnly: true,
    syncLater: true,
    contentType: "application/gzip",
  });
  const { bytes, sha256 } = content.finish();
  return { largeObject: { oid, bytes, contentSha256: sha256, file }, object: { file, ...stored.finish() } };
}

async function* readBlocks(
  reader: Session,
  oid: number,
  beginning: Uint8Array,
  onBytes: (bytes: number) => void,
  onRead: () => void,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (let block = beginning; ; block = await readBlock(reader, oid, offset)) {
    onBytes(block.length);
    offset += block.length;
    if (block.length < blockBytes) onRead();
    // An empty object has one empty block: a file without any would not be gzip.
    if (block.length > 0 || offset === 0) yield block;
    if (block.length < blockBytes) return;
  }
}

async function readBlock(reader: Session, oid: number, offset: number): Promise<Uint8Array> {
  try {
    const [row] = await reader.sql<{ bytes: Uint8Array }[]>`
      select pg_catalog.lo_get(${String(oid)}::text::oid, ${String(offset)}::text::bigint, ${blockBytes}) as bytes`;
    return row!.bytes;
  } catch (error) {
    throw databaseError(error, { doing: `reading large object ${oid}` });
  }
}

/** Reads one back and decodes it; throws `archive_unverified`. */
export async function readBackLargeObject(
  store: ObjectStore,
  key: string,
  { largeObject, object }: WrittenLargeObject,
  decoder: MemberDecoder,
): Promise<void> {
  const stored = hashing();
  const content = createHash("sha256");
  let bytes = 0;
  await judged(async () => {
    for await (const member of splitMembers(stored.pass(store.read(key)), object.file))
      await decoder.decode(member, object.file, (part) => {
        bytes += part.length;
        content.update(part);
      });
  });
  const found = stored.finish();
  const same = found.bytes === object.bytes && found.sha256 === object.sha256;
  if (!same || bytes !== largeObject.bytes || content.digest("hex") !== largeObject.contentSha256)
    throw unverified(`${object.file} (large object ${largeObject.oid}) has another content than was written`);
}

/** The list that pg_restore finds them by (archive-format, "Large objects"). */
export function largeObjectList(oids: readonly number[]): Uint8Array {
  return Buffer.from(oids.map((oid) => `${oid} ${largeObjectFile(oid)}\n`).join(""));
}
