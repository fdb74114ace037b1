import { createZstdDecompress } from "node:zlib";
import { inBlocks } from "../../postgres/blocks.ts";
import { ByteReader } from "../byte-reader.ts";
import { damaged } from "../format/damage.ts";
import { chunkSize, decompressed } from "./through.ts";

const frameMagic = 0xfd2fb528;
/** Bytes that are fed at a time: each call of the engine costs the same, however few. */
const blockSize = 64 * 1024;
const isSkippable = (magic: number) => magic >>> 4 === 0x184d2a5;

/** The largest window that zstd's own tools take without being told to, and what `pg_dump --compress=zstd:long` writes. */
const largestWindow = 2 ** 27;

/**
 * Decompresses zstd frames (RFC 8878). The frames are followed here because the engine stops after the first one and,
 * under Deno, takes a cut frame for a whole one. Throws `archive_invalid` naming `what`.
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(chunks, what);
  try {
    while (await reader.has(1)) {
      await reader.need(4);
      const magic = reader.takeBuffered(4);
      const code = magic.readUInt32LE();
      if (isSkippable(code)) {
        for await (const _ of reader.pass((await reader.take(4)).readUInt32LE()));
      } else if (code === frameMagic) {
        yield* decompressed(inBlocks(frame(reader, magic, what), blockSize), createZstdDecompress({ chunkSize }), what);
      } else throw damaged(`${what} does not decompress: no zstd frame begins at byte ${reader.position - 4}`);
    }
  } finally {
    await reader.close();
  }
}

/** The bytes of one frame, to its last block and checksum. */
async function* frame(reader: ByteReader, magic: Uint8Array, what: string): AsyncGenerator<Uint8Array> {
  yield magic;
  const header = await frameHeader(reader, what);
  yield header.bytes;
  for (let last = false; !last; ) {
    const block = await reader.take(3);
    const word = block.readUIntLE(0, 3);
    last = (word & 1) === 1;
    const type = (word >>> 1) & 3;
    if (type === 3) throw damaged(`${what} does not decompress: it has a zstd block of an unknown type`);
    yield block;
    yield* reader.pass(type === 1 ? 1 : word >>> 3);
  }
  if (header.checksum) yield await reader.take(4);
}

async function frameHeader(reader: ByteReader, what: string): Promise<{ bytes: Buffer; checksum: boolean }> {
  await reader.need(1);
  const descriptor = reader.takeBuffered(1);
  const flags = descriptor[0]!;
  const singleSegment = (flags & 0x20) !== 0;
  const dictionarySize = [0, 1, 2, 4][flags & 3]!;
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][flags >>> 6]!;
  if (dictionarySize > 0) throw damaged(`${what} does not decompress: it needs a zstd dictionary`);
  const rest = await reader.take((singleSegment ? 0 : 1) + contentSize);
  const window = singleSegment ? littleEndian(rest) : windowSize(rest[0]!);
  if (window > largestWindow)
    throw damaged(
      `${what} needs a zstd window of ${window} bytes, more than ${largestWindow}`,
      "Decompress it with `zstd -d --long=31` first.",
    );
  return { bytes: Buffer.concat([descriptor, rest]), checksum: (flags & 4) !== 0 };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
