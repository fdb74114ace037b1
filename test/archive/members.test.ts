import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  blockBytes,
  createMemberDecoder,
  createMemberEncoder,
  splitMembers,
} from "../../shared/archive/compression/members.ts";
import { isBelayError } from "../../shared/errors.ts";

const encoder = createMemberEncoder(6);
const decoder = createMemberDecoder();

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function decodeAll(bytes: Uint8Array, pieces: number): Promise<Buffer> {
  const rows: Buffer[] = [];
  for await (const member of splitMembers(inPieces(bytes, pieces), "1.dat.gz"))
    await decoder.decode(member, "1.dat.gz", (part) => rows.push(Buffer.from(part)));
  return Buffer.concat(rows);
}

async function encodeAll(blocks: readonly Uint8Array[]): Promise<Buffer> {
  const members: Uint8Array[] = [];
  for (const block of blocks) members.push(await encoder.encode(block));
  return Buffer.concat(members);
}

const text = (bytes: number) => Buffer.from("row of text\tand more\n".repeat(bytes / 20)).subarray(0, bytes);

describe("a data file of gzip members", () => {
  test("gives back what was put in, wherever a read ends; to others it is plain gzip", async () => {
    const blocks = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(blocks, fc.integer({ min: 1, max: 700 }), async (all, pieces) => {
        const file = await encodeAll(all);
        const wanted = Buffer.concat(all);
        expect(gunzipSync(file).equals(wanted)).toBe(true);
        expect((await decodeAll(file, pieces)).equals(wanted)).toBe(true);
      }),
      { verbose: true, numRuns: 60 },
    );
  });

  test("small blocks, large ones and empty ones, through the same encoder again and again", async () => {
    const blocks = [0, 1, 16 * 1024, 16 * 1024 + 1, blockBytes, 7, blockBytes + 5, 0].map(text);
    const file = await encodeAll(blocks);
    expect(gunzipSync(file).equals(Buffer.concat(blocks))).toBe(true);
    expect((await decodeAll(file, 64 * 1024)).equals(Buffer.concat(blocks))).toBe(true);
  });

  test("every flipped bit and every cut of a small file is archive_invalid, or gives other bytes", async () => {
    const wanted = text(600);
    const file = await encodeAll([wanted.subarray(0, 300), wanted.subarray(300)]);
    const problems = async (damaged: Uint8Array) => {
      const found = await decodeAll(damaged, 50).catch((error: unknown) => error);
      if (Buffer.isBuffer(found)) return found.equals(wanted) ? "the same" : "other bytes";
      return isBelayError(found, "archive_invalid") ? "archive_invalid" : String(found);
    };
    for (let at = 0; at < file.length; at += 1) {
      const cut = await problems(file.subarray(0, at));
      expect(["archive_invalid", "other bytes"]).toContain(cut);
      const flipped = Buffer.from(file);
      flipped[at] = flipped[at]! ^ 1;
      // Time, flags and system in gzip's header say nothing of the rows: the sha256 of the object finds them.
      expect(["archive_invalid", "other bytes", "the same"]).toContain(await problems(flipped));
    }
  });

  test("a block that says it is longer than any block can be is refused before memory is taken", async () => {
    const file = await encodeAll([text(100)]);
    file.writeUInt32LE(0x7fffffff, 16);
    await expect(decodeAll(file, 50)).rejects.toMatchObject({ code: "archive_invalid" });
    await expect(decodeAll(gzipSync("plain"), 50)).rejects.toMatchObject({ code: "archive_invalid" });
  });
});
