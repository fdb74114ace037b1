import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBlockBuilder } from "../../shared/postgres/blocks.ts";
import { createFrameFilter } from "../../shared/postgres/copy-frames.ts";

const rowType = "d".charCodeAt(0);

function frame(type: number, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + content.length);
  bytes[0] = type;
  bytes.writeUInt32BE(4 + content.length, 1);
  bytes.set(content, 5);
  return bytes;
}

/** Cuts bytes at the places given, in any order and number. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

const frames = fc.array(
  fc.record({
    type: fc.oneof(fc.constant(rowType), fc.constant(rowType), fc.integer({ min: 1, max: 255 })),
    content: fc.uint8Array({ maxLength: 120 }),
  }),
  { maxLength: 40 },
);
const places = fc.array(fc.nat({ max: 6_000 }), { maxLength: 60 });

describe("rows taken off the wire", () => {
  test("wherever reads end: the rows' bytes go to the sink, all other messages to the driver, whole and in order", () => {
    fc.assert(
      fc.property(frames, places, (all, at) => {
        const forwarded: Buffer[] = [];
        const rows: Buffer[] = [];
        const filter = createFrameFilter((chunk) => forwarded.push(Buffer.from(chunk)));
        filter.divert({ add: (chunk, from, to) => rows.push(Buffer.from(chunk.subarray(from, to))), taken: () => {} });
        for (const part of cut(Buffer.concat(all.map(({ type, content }) => frame(type, content))), at))
          filter.take(part);
        const contents = all.filter(({ type }) => type === rowType).map(({ content }) => content);
        const others = all.filter(({ type }) => type !== rowType).map(({ type, content }) => frame(type, content));
        expect(Buffer.concat(rows).equals(Buffer.concat(contents))).toBe(true);
        expect(Buffer.concat(forwarded).equals(Buffer.concat(others))).toBe(true);
      }),
      { verbose: true },
    );
  });

  test("without a sink the driver gets every byte", () => {
    fc.assert(
      fc.property(frames, places, (all, at) => {
        const forwarded: Buffer[] = [];
        const filter = createFrameFilter((chunk) => forwarded.push(Buffer.from(chunk)));
        const bytes = Buffer.concat(all.map(({ type, content }) => frame(type, content)));
        for (const part of cut(bytes, at)) filter.take(part);
        expect(Buffer.concat(forwarded).equals(bytes)).toBe(true);
      }),
      { verbose: true },
    );
  });

  test("a message that says it is shorter than its own length is not the protocol's", () => {
    const filter = createFrameFilter(() => {});
    expect(() => filter.take(Buffer.from([rowType, 0, 0, 0, 3, 0]))).toThrow(RangeError);
  });

  test("blocks hold the same bytes, each full but the last, also when memory is used again", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 60 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 500 }), (all, size) => {
        const builder = createBlockBuilder(size);
        const got: Buffer[] = [];
        const drain = () => {
          for (const block of builder.take()) {
            got.push(Buffer.from(block));
            builder.recycle(block);
          }
        };
        for (const piece of all) {
          builder.add(piece, 0, piece.length);
          drain();
        }
        builder.flush();
        drain();
        expect(Buffer.concat(got).equals(Buffer.concat(all))).toBe(true);
        expect(got.slice(0, -1).every((block) => block.length === size)).toBe(true);
      }),
      { verbose: true },
    );
  });
});
