import { xxHash32 } from "../../shared/archive/compression/xxhash32.ts";

export interface FrameOptions {
  readonly linked?: boolean;
  readonly blockChecksums?: boolean;
  readonly contentChecksum?: boolean;
  readonly contentSize?: boolean;
  /** 4: 64 KiB to 7: 4 MiB. */
  readonly blockSize?: 4 | 5 | 6 | 7 | number;
  /** Blocks that are stored as they are. */
  readonly stored?: boolean;
  /** Compressed blocks to use instead of the content's. */
  readonly blocks?: readonly Buffer[];
}

/** Writes an LZ4 frame for tests; its matches are found by a simple table of four bytes. */
export function lz4Frame(content: Buffer, options: FrameOptions = {}): Buffer {
  const { linked = false, blockChecksums = false, contentChecksum = false, contentSize = false } = options;
  const code = options.blockSize ?? 4;
  const flags =
    0x40 | (linked ? 0 : 0x20) | (blockChecksums ? 0x10 : 0) | (contentSize ? 8 : 0) | (contentChecksum ? 4 : 0);
  const size = Buffer.alloc(contentSize ? 8 : 0);
  if (contentSize) size.writeBigUInt64LE(BigInt(content.length));
  const descriptor = Buffer.concat([Buffer.from([flags, code << 4]), size]);
  const out = [word(0x184d2204), descriptor, Buffer.from([(xxHash32(descriptor) >>> 8) & 0xff])];
  for (const { bytes, stored } of options.blocks?.map((bytes) => ({ bytes, stored: false })) ??
    blocksOf(content, code, options)) {
    out.push(word(bytes.length + (stored ? 2 ** 31 : 0)), bytes);
    if (blockChecksums) out.push(word(xxHash32(bytes)));
  }
  out.push(word(0));
  if (contentChecksum) out.push(word(xxHash32(content)));
  return Buffer.concat(out);
}

function* blocksOf(
  content: Buffer,
  code: number,
  options: FrameOptions,
): Generator<{ bytes: Buffer; stored: boolean }> {
  const most = 2 ** (2 * code + 8);
  for (let at = 0; at < content.length; at += most) {
    const end = Math.min(content.length, at + most);
    const stored = options.stored === true;
    yield {
      bytes: stored ? content.subarray(at, end) : compressBlock(content, at, end, options.linked ? 0 : at),
      stored,
    };
  }
}

function compressBlock(content: Buffer, start: number, end: number, earliest: number): Buffer {
  const out: number[] = [];
  const seen = new Map<number, number>();
  for (let at = Math.max(earliest, start - 65_535); at < start; at++) seen.set(content.readUInt32LE(at), at);
  let literalsFrom = start;
  let at = start;
  // The last match begins twelve bytes before the end at the latest, and the last five bytes are literals.
  while (at < end - 12) {
    const key = content.readUInt32LE(at);
    const match = seen.get(key);
    seen.set(key, at);
    if (match === undefined || at - match > 65_535) {
      at += 1;
      continue;
    }
    let length = 4;
    while (at + length < end - 5 && content[match + length] === content[at + length]) length += 1;
    sequence(out, content.subarray(literalsFrom, at), at - match, length);
    at += length;
    literalsFrom = at;
  }
  sequence(out, content.subarray(literalsFrom, end), 0, 0);
  return Buffer.from(out);
}

function sequence(out: number[], literals: Buffer, distance: number, length: number): void {
  const rest = Math.max(0, length - 4);
  out.push((Math.min(15, literals.length) << 4) | Math.min(15, rest));
  if (literals.length >= 15) more(out, literals.length - 15);
  out.push(...literals);
  if (distance === 0) return;
  out.push(distance & 0xff, distance >>> 8);
  if (rest >= 15) more(out, rest - 15);
}

function more(out: number[], left: number): void {
  for (let rest = left; ; rest -= 255) {
    out.push(Math.min(255, rest));
    if (rest < 255) return;
  }
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
