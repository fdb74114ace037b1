import { Buffer } from "node:buffer";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import { damaged } from "../format/damage.ts";
import { compressionLanes, decompressionLanes } from "./lanes.ts";

/**
 * A data file is a row of gzip members, one per block of rows, so that several cores can compress and decompress it. Each
 * member's header says how long the member is, in the extra field that gzip has for such things (RFC 1952, section
 * 2.3.1.1), as bgzip does. To every other reader it is plain gzip.
 */
const fieldId = Buffer.from("BY");
const plainHeader = 10;
/** Header, length of the extra field, the field's id and length, the member's length. */
const ownHeader = plainHeader + 2 + 4 + 4;
const extraFlag = 4;
const trailer = 8;

/** Most bytes of rows in one block: what a reader must be ready to hold. */
export const blockBytes = 512 * 1024;
const mostMemberBytes = 2 * blockBytes;

/** Up to this many bytes of rows, handing a block over to another thread costs more than the work. */
const smallBlock = 16 * 1024;

/** Compresses blocks, off the main thread where the runtime can. */
export interface MemberEncoder {
  encode(block: Uint8Array): Promise<Uint8Array>;
  close(): void;
}

/** `level`: gzip's, 0 to 9. */
export function createMemberEncoder(level: number): MemberEncoder {
  const lanes = compressionLanes(level, blockBytes / 2);
  return {
    encode: async (block) => {
      if (block.length <= smallBlock)
        return framed([gzipSync(block, { level, memLevel: constants.Z_MAX_MEMLEVEL, chunkSize: 4096 })]);
      const parts: Uint8Array[] = [];
      await lanes.run(block, (part) => parts.push(part));
      return framed(parts);
    },
    close: lanes.close,
  };
}

/** Decompresses members, off the main thread where the runtime can. */
export interface MemberDecoder {
  /** `onRows` hears the bytes piece by piece, and must not keep them. Rejects with `archive_invalid` naming `what`. */
  decode(member: Buffer, what: string, onRows: (rows: Buffer) => void): Promise<void>;
  close(): void;
}

export function createMemberDecoder(): MemberDecoder {
  const lanes = decompressionLanes(blockBytes / 2);
  return {
    decode: async (member, what, onRows) => {
      const size = member.readUInt32LE(member.length - 4);
      let bytes = 0;
      const take = (rows: Buffer) => {
        bytes += rows.length;
        onRows(rows);
      };
      try {
        if (size <= smallBlock) take(gunzipSync(member, { chunkSize: size + 64, maxOutputLength: size + 64 }));
        else await lanes.run(member, take);
      } catch (error) {
        throw damaged(`${what} does not decompress: ${(error as Error).message}`);
      }
      if (bytes !== size) throw damaged(`${what} has a block of ${bytes} bytes that says it has ${size}`);
    },
    close: lanes.close,
  };
}

/** Cuts a stream into members; throws `archive_invalid` naming `what` when it is not a row of them. */
export async function* splitMembers(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let wanted = ownHeader;
  for await (const chunk of chunks) {
    parts.push(chunk);
    held += chunk.length;
    if (held < wanted) continue;
    let joined = parts.length === 1 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat(parts);
    while (joined.length >= ownHeader) {
      wanted = memberLength(joined, what);
      if (joined.length < wanted) break;
      yield joined.subarray(0, wanted);
      joined = joined.subarray(wanted);
      wanted = ownHeader;
    }
    parts = joined.length === 0 ? [] : [joined];
    held = joined.length;
  }
  if (held > 0) throw damaged(`${what} is cut in the middle of a block`);
}

/** Puts the length into the header of what zlib made, and copies it out of zlib's buffers. */
function framed(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, ownHeader - plainHeader);
  const member = Buffer.allocUnsafeSlow(length);
  let at = ownHeader - plainHeader;
  for (const part of parts) {
    member.set(part, at);
    at += part.length;
  }
  member.copyWithin(0, ownHeader - plainHeader, ownHeader);
  member[3] = extraFlag;
  member.writeUInt16LE(8, plainHeader);
  fieldId.copy(member, plainHeader + 2);
  member.writeUInt16LE(4, plainHeader + 4);
  member.writeUInt32LE(length, plainHeader + 6);
  return member;
}

function memberLength(bytes: Buffer, what: string): number {
  const own =
    bytes.readUInt32BE(0) === 0x1f8b0804 &&
    bytes.readUInt16LE(plainHeader) === 8 &&
    fieldId.equals(bytes.subarray(plainHeader + 2, plainHeader + 4)) &&
    bytes.readUInt16LE(plainHeader + 4) === 4;
  if (!own) throw damaged(`${what} does not consist of the blocks that were written`);
  const length = bytes.readUInt32LE(plainHeader + 6);
  if (length < ownHeader + trailer || length > mostMemberBytes)
    throw damaged(`${what} has a block that says it is ${length} bytes long`);
  return length;
}
