import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Compression, decompress } from "../../shared/archive/compression/decompress.ts";
import { XxHash32, xxHash32 } from "../../shared/archive/compression/xxhash32.ts";
import { isBelayError } from "../../shared/errors.ts";
import { lz4Frame } from "./lz4-frame.ts";
import { gather } from "./stock.ts";

const rows = Buffer.from(
  Array.from({ length: 20_000 }, (_, i) => `${i}\tname ${(i * 7919) % 10_007}\t${i % 13}\n`).join(""),
);

const compressors: Readonly<Record<Exclude<Compression, "none">, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  zlib: deflateSync,
  zstd: (bytes) => zstdCompressSync(bytes, { params: { 201: 1 } }), // ZSTD_c_checksumFlag
  lz4: (bytes) => lz4Frame(bytes, { contentChecksum: true, blockChecksums: true, linked: true }),
};
const kinds = Object.keys(compressors) as (keyof typeof compressors)[];

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const expand = (kind: Compression, bytes: Uint8Array, size = 4096) =>
  gather(decompress(kind, pieces(bytes, size), "x"));

/** The content, or "refused"; any other error fails the test. */
async function expandOrRefuse(kind: Compression, bytes: Uint8Array, size?: number): Promise<Buffer | "refused"> {
  try {
    return await expand(kind, bytes, size);
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
    expect(error.message).toContain("x ");
    expect(error.hint).toBeTruthy();
    return "refused";
  }
}

describe.each(kinds)("%s", (kind) => {
  const stored = compressors[kind](rows);

  test.each([1, 7, 4096, 1 << 24])("decompresses in pieces of %i bytes", async (size) => {
    const bytes = size === 1 ? compressors[kind](rows.subarray(0, 3000)) : stored;
    expect(Buffer.compare(await expand(kind, bytes, size), size === 1 ? rows.subarray(0, 3000) : rows)).toBe(0);
  });

  test("of nothing is nothing, and of empty content too", async () => {
    expect(await expand(kind, Buffer.alloc(0))).toHaveLength(0);
    expect(await expand(kind, compressors[kind](Buffer.alloc(0)))).toHaveLength(0);
  });

  test("cut at any byte is refused", async () => {
    const small = compressors[kind](rows.subarray(0, 2000));
    for (let length = 1; length < small.length; length += 1)
      expect(await expandOrRefuse(kind, small.subarray(0, length)), `${length} bytes`).toBe("refused");
  });

  test("with bytes behind its end is refused, however they arrive", async () => {
    for (const size of [stored.length, stored.length + 5, 4096])
      expect(await expandOrRefuse(kind, Buffer.concat([stored, Buffer.from("behind")]), size)).toBe("refused");
  });

  test("with any bit flipped is refused or gives the same: its checksum finds it", async () => {
    const content = rows.subarray(0, 5000);
    const small = compressors[kind](content);
    const flip = fc.tuple(fc.nat({ max: small.length - 1 }), fc.nat({ max: 7 }));
    await fc.assert(
      fc.asyncProperty(flip, fc.integer({ min: 1, max: 3000 }), async ([at, bit], size) => {
        const bad = Buffer.from(small);
        bad[at]! ^= 1 << bit;
        const got = await expandOrRefuse(kind, bad, size);
        return got === "refused" || got.equals(content);
      }),
      { numRuns: 300 },
    );
  });

  test("of noise is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (noise) => {
        const head = Buffer.from(stored.subarray(0, 6));
        await expandOrRefuse(kind, Buffer.concat([head, noise]));
        return (await expandOrRefuse(kind, Buffer.concat([Buffer.from([0]), noise]))) === "refused";
      }),
    );
  });

  test("leaves its source when its reader leaves", async () => {
    let left = false;
    const source = async function* () {
      try {
        for (;;) yield* pieces(stored, 512);
      } finally {
        left = true;
      }
    };
    for await (const _ of decompress(kind, source(), "x")) break;
    await expect.poll(() => left).toBe(true);
  });
});

describe("several in one stream", () => {
  test.each(["gzip", "zstd", "lz4"] as const)("%s members are read one after the other", async (kind) => {
    const parts = [rows.subarray(0, 70_000), Buffer.alloc(0), rows.subarray(70_000)];
    const stored = parts.map((part) => compressors[kind](Buffer.from(part)));
    for (const size of [stored[0]!.length, 1000, 1 << 24])
      expect(Buffer.compare(await expand(kind, Buffer.concat(stored), size), rows)).toBe(0);
  });

  test.each(["zstd", "lz4"] as const)("%s frames to be skipped are skipped", async (kind) => {
    const skipped = Buffer.concat([Buffer.from([0x57, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from("notes")]);
    const stored = compressors[kind](rows);
    expect(Buffer.compare(await expand(kind, Buffer.concat([skipped, stored, skipped])), rows)).toBe(0);
    expect(await expandOrRefuse(kind, Buffer.concat([stored, skipped.subarray(0, -1)]))).toBe("refused");
  });
});

describe("LZ4 frames", () => {
  test.each([
    { linked: false },
    { linked: true },
    { linked: true, contentSize: true, contentChecksum: true },
    { linked: false, blockChecksums: true, blockSize: 7 },
    { linked: true, stored: true },
  ])("with %j", async (options) => {
    for (const size of [1 << 20, 333])
      expect(Buffer.compare(await expand("lz4", lz4Frame(rows, options), size), rows)).toBe(0);
  });

  test.each([
    ["a block that claims 2 GB", (frame: Buffer) => frame.writeUInt32LE(0x7fffffff, 7)],
    ["another version", (frame: Buffer) => frame.writeUInt8(0x80, 4)],
    ["a dictionary", (frame: Buffer) => frame.writeUInt8(frame[4]! | 1, 4)],
    ["an unknown block size", (frame: Buffer) => frame.writeUInt8(0x10, 5)],
    ["a wrong checksum of its header", (frame: Buffer) => frame.writeUInt8(frame[6]! ^ 1, 6)],
  ])("with %s are refused", async (_, spoil) => {
    const frame = lz4Frame(rows, { linked: true });
    spoil(frame);
    expect(await expandOrRefuse("lz4", frame)).toBe("refused");
  });

  test("whose matches reach before the content, or before their own block, are refused", async () => {
    const block = (distance: number) => Buffer.from([0x10, 0x41, distance, 0, 0x50, 0x41, 0x41, 0x41, 0x41, 0x41]);
    for (const distance of [0, 2, 255])
      expect(await expandOrRefuse("lz4", lz4Frame(Buffer.alloc(0), { blocks: [block(distance)] }))).toBe("refused");
    expect((await expand("lz4", lz4Frame(Buffer.alloc(0), { blocks: [block(1)] }))).toString()).toBe("A".repeat(10));
  });
});

describe("zstd windows", () => {
  test("beyond 128 MB are refused by their size", async () => {
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00]);
    await expect(expand("zstd", frame)).rejects.toMatchObject({
      code: "archive_invalid",
      message: expect.stringContaining("window"),
    });
  });
});

describe("xxHash32", () => {
  /** From the reference implementation. */
  test.each([
    ["", 0x02cc5d05],
    ["a", 0x550d7456],
    ["abc", 0x32d153ff],
    ["Nobody inspects the spammish repetition", 0xe2293b2f],
  ])("of %j", (text, hash) => {
    expect(xxHash32(Buffer.from(text))).toBe(hash);
  });

  test("is the same however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (parts) => {
        const cut = new XxHash32();
        for (const part of parts) cut.update(part);
        expect(cut.digest()).toBe(xxHash32(Buffer.concat(parts)));
      }),
    );
  });
});
