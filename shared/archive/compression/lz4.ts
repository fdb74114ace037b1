import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { ByteReader } from "../byte-reader.ts";
import { damaged } from "../format/damage.ts";
import { decodeLz4Block } from "./lz4-block.ts";
import { XxHash32, xxHash32 } from "./xxhash32.ts";

const frameMagic = 0x184d2204;
const isSkippable = (magic: number) => magic >>> 4 === 0x184d2a5;

/** How far back a match may reach, over blocks too when they are linked. */
const windowSize = 64 * 1024;

/** Decoded bytes that are handed out at a time, and that are decoded before any is. */
const outputSize = 128 * 1024;
const decodedSize = 4 * outputSize;

interface Frame {
  readonly linked: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  /** Bytes of decoded content that the frame promises. */
  readonly contentSize: bigint | null;
  readonly largestBlock: number;
}

/**
 * Decompresses LZ4 frames (lz4_Frame_format.md 1.6), any number of them, checking every checksum that they carry.
 * Holds one block and the 64 KiB before it. Throws `archive_invalid` naming `what`.
 */
export async function* unlz4(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(chunks, what);
  let buffer: Uint8Array = new Uint8Array(0);
  try {
    while (await reader.has(1)) {
      const magic = (await reader.take(4)).readUInt32LE();
      if (isSkippable(magic)) {
        for await (const _ of reader.pass((await reader.take(4)).readUInt32LE()));
      } else if (magic === frameMagic) {
        const frame = await readFrame(reader, what);
        const size = windowSize + Math.max(decodedSize, frame.largestBlock);
        if (buffer.length < size) buffer = new Uint8Array(size);
        yield* blocks(reader, frame, buffer, what);
      } else throw bad(what, `no LZ4 frame begins at byte ${reader.position - 4}`);
    }
  } finally {
    await reader.close();
  }
}

async function readFrame(reader: ByteReader, what: string): Promise<Frame> {
  await reader.need(2);
  const [flags, sizes] = reader.takeBuffered(2) as unknown as [number, number];
  const hasSize = (flags & 0x08) !== 0;
  const descriptor = Buffer.concat([Buffer.from([flags, sizes]), await reader.take(hasSize ? 8 : 0)]);
  if (flags >>> 6 !== 1 || (flags & 0x02) !== 0 || (sizes & 0x8f) !== 0)
    throw bad(what, "its LZ4 frame is of an unknown version");
  if ((flags & 0x01) !== 0) throw bad(what, "it needs an LZ4 dictionary");
  const code = sizes >>> 4;
  if (code < 4) throw bad(what, "its LZ4 frame has an unknown block size");
  const [sum] = await reader.take(1);
  if (sum !== ((xxHash32(descriptor) >>> 8) & 0xff)) throw bad(what, "the checksum of an LZ4 frame's header is wrong");
  return {
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
    contentSize: hasSize ? descriptor.readBigUInt64LE(2) : null,
    largestBlock: 2 ** (2 * code + 8),
  };
}

/** The content of a frame's blocks, decoded in `buffer`. */
async function* blocks(reader: ByteReader, frame: Frame, buffer: Uint8Array, what: string): AsyncGenerator<Uint8Array> {
  const content = frame.contentChecksum ? new XxHash32() : null;
  let known = 0;
  let end = 0;
  let total = 0n;
  /** Hands out what was decoded, and keeps what matches may reach back to. */
  const flush = function* () {
    for (let from = known; from < end; from += outputSize) {
      const out = buffer.slice(from, Math.min(end, from + outputSize));
      content?.update(out);
      yield out;
    }
    total += BigInt(end - known);
    const kept = Math.min(windowSize, end);
    buffer.copyWithin(0, end - kept, end);
    known = kept;
    end = kept;
  };
  for (;;) {
    const size = (await reader.take(4)).readUInt32LE();
    if (size === 0) break;
    if (end + frame.largestBlock > buffer.length) {
      yield* flush();
      // A bomb would otherwise be decoded in one go, and the garbage of it never be collected.
      await setImmediate();
    }
    end = await decodeNext(reader, size, buffer, end, frame, what);
  }
  yield* flush();
  if (content !== null && (await reader.take(4)).readUInt32LE() !== content.digest())
    throw bad(what, "the checksum of an LZ4 frame's content is wrong");
  if (frame.contentSize !== null && frame.contentSize !== total)
    throw bad(what, `an LZ4 frame holds ${total} bytes instead of ${frame.contentSize}`);
}

/** Decodes one block behind what is in the buffer; the high bit of its size says that it is stored as it is. */
async function decodeNext(
  reader: ByteReader,
  word: number,
  buffer: Uint8Array,
  start: number,
  frame: Frame,
  what: string,
): Promise<number> {
  const stored = word >>> 31 === 1;
  const size = word & 0x7fffffff;
  if (size > frame.largestBlock) throw bad(what, `an LZ4 block claims ${size} bytes`);
  const block = await reader.take(size);
  if (frame.blockChecksums && (await reader.take(4)).readUInt32LE() !== xxHash32(block))
    throw bad(what, "the checksum of an LZ4 block is wrong");
  if (stored) {
    buffer.set(block, start);
    return start + size;
  }
  const earliest = frame.linked ? Math.max(0, start - windowSize) : start;
  const end = decodeLz4Block(block, buffer, { start, earliest, limit: start + frame.largestBlock });
  if (end === -1) throw bad(what, "an LZ4 block is damaged");
  return end;
}

function bad(what: string, why: string) {
  return damaged(`${what} does not decompress: ${why}`);
}
