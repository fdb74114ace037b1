import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TocEntry } from "../../shared/archive/format/toc.ts";
import { writeToc } from "../../shared/archive/format/toc.ts";
import { openFound } from "../../shared/archive/read/open.ts";
import { verifyFound } from "../../shared/archive/verify/any.ts";
import { isBelayError } from "../../shared/errors.ts";
import { temporaryFolder } from "../support/belay.ts";
import { type MemoryStore, memoryStore } from "../support/memory-store.ts";
import { lz4Frame } from "./lz4-frame.ts";
import { contentsOf, dataEntries, foundIn, hasSamples, inMemory, openIn, stockSamples } from "./stock.ts";

const samples = hasSamples ? readdirSync(stockSamples).filter((name) => !name.endsWith(".sql")) : [];

/** Reads all that can be read; true when everything was, false when it was refused as it should be. */
async function readsOrRefuses(store: MemoryStore): Promise<boolean> {
  try {
    await contentsOf(await openIn(store));
    return true;
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
    expect(error.hint).toBeTruthy();
    return false;
  }
}

/** What verify finds; never an error of another kind. */
const problemsOf = async (store: MemoryStore) => (await verifyFound(foundIn(store))).problems;

describe.skipIf(!hasSamples)(hasSamples ? "a stock archive" : "a stock archive (skipped: no samples)", () => {
  describe.each(samples)("%s", (name) => {
    const tocKey = name.endsWith(".dir") ? "a/toc.dat" : "a";

    test("cut at any byte of its header and table of contents is refused", async () => {
      const store = await inMemory(join(stockSamples, name));
      const bytes = store.objects.get(tocKey)!;
      const { toc } = await openIn(store);
      const end = toc.end ?? bytes.length;
      // Every byte of the header and the first entries, then every seventh: each is parsed anew.
      for (let length = 0; length < end; length += length < 1500 ? 1 : 7) {
        store.objects.set(tocKey, bytes.subarray(0, length));
        await expect(openFound(foundIn(store)), `${length} bytes`).rejects.toMatchObject({ code: "archive_invalid" });
      }
    });

    test("cut anywhere is refused, and verify says so", async () => {
      const whole = await inMemory(join(stockSamples, name));
      const keys = [...whole.objects.keys()];
      const cut = fc.tuple(fc.constantFrom(...keys), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
      await fc.assert(
        fc.asyncProperty(cut, async ([key, share]) => {
          const bytes = whole.objects.get(key)!;
          const store = memoryStore(whole.objects);
          const length = Math.floor(bytes.length * share);
          store.objects.set(key, bytes.subarray(0, length));
          // Of an empty compressed file nobody can say that it was cut: pg_dump writes such ones for empty large objects.
          if (length === 0 && /blob/.test(key)) return;
          if (key.endsWith(".toc") && bytes.subarray(0, length).toString().endsWith("\n")) {
            expect((await problemsOf(store)).join()).toContain("missing");
            return;
          }
          expect(await readsOrRefuses(store)).toBe(false);
          expect(await problemsOf(store)).not.toEqual([]);
        }),
        { numRuns: 60 },
      );
    });

    test("with bytes changed anywhere is read or refused, never another error, no hang", async () => {
      const whole = await inMemory(join(stockSamples, name));
      const change = fc.record({
        key: fc.constantFrom(...whole.objects.keys()),
        at: fc.nat(),
        value: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0xff)),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
          const store = memoryStore(whole.objects);
          for (const { key, at, value } of changes)
            store.objects.get(key)![at % store.objects.get(key)!.length] = value;
          await readsOrRefuses(store);
          await problemsOf(store);
        }),
        { numRuns: 150 },
      );
    });
  });

  test("in custom format with pieces of a negative length, of 2 GB, or a block of an unknown type is refused", async () => {
    const whole = await inMemory(join(stockSamples, "pg15.custom"));
    const archive = await openIn(whole);
    const entry = dataEntries(archive).find(({ tag }) => tag === "child")!;
    const position = Number((entry.offset as { position: bigint }).position);
    for (const [at, bytes] of [
      [0, [2]],
      [0, [0x7f]],
      [1, [0, 0xff, 0xff, 0xff, 0x7f]],
      [6, [1, 4, 0, 0, 0]],
      [6, [0, 0xff, 0xff, 0xff, 0x7f]],
      [6, [0, 0xff, 0xff, 0xff, 0xff]],
    ] as const) {
      const store = memoryStore(whole.objects);
      store.objects.get("a")!.set(bytes, position + at);
      expect(await readsOrRefuses(store)).toBe(false);
      expect((await problemsOf(store)).join()).toContain("child");
    }
  });

  test("in custom format with positions beyond the end, in the table of contents, or of each other is refused", async () => {
    const whole = await inMemory(join(stockSamples, "pg15.custom"));
    const archive = await openIn(whole);
    const [first, second] = dataEntries(archive);
    const at = whole.objects.get("a")!.indexOf(known(first!));
    for (const position of [0n, 11n, BigInt(whole.objects.get("a")!.length), 2n ** 63n, 2n ** 64n - 1n]) {
      const store = memoryStore(whole.objects);
      store.objects.get("a")!.writeBigUInt64LE(position, at + 1);
      expect(await readsOrRefuses(store), String(position)).toBe(false);
    }
    const crossed = memoryStore(whole.objects);
    crossed.objects.get("a")!.set(known(second!), at);
    expect(await readsOrRefuses(crossed)).toBe(false);
    expect((await problemsOf(crossed)).join()).toContain("another block");
  });

  test("in custom format without positions and damaged in the middle is walked once, not once for each entry", async () => {
    const whole = await inMemory(join(stockSamples, "pg15.custom"));
    const archive = await openIn(whole);
    const store = memoryStore(whole.objects, 1024);
    const bytes = store.objects.get("a")!;
    // State 1: the position is unknown.
    for (const entry of dataEntries(archive)) bytes.set([1, 0, 0, 0, 0, 0, 0, 0, 0], bytes.indexOf(known(entry)));
    expect(await readsOrRefuses(store)).toBe(true);
    bytes.fill(0xee, archive.toc.end! + 4000, archive.toc.end! + 4200);
    store.bytesRead = 0;
    expect((await problemsOf(store)).length).toBeGreaterThanOrEqual(5);
    expect(store.bytesRead).toBeLessThan(4 * bytes.length);
  });
});

/** An entry's position as it is stored. */
function known(entry: TocEntry): Buffer {
  const bytes = Buffer.alloc(9, 2);
  bytes.writeBigUInt64LE((entry.offset as { position: bigint }).position, 1);
  return bytes;
}

const plainEntry: TocEntry = {
  dumpId: 1,
  hadDumper: false,
  tableoid: "0",
  oid: "0",
  tag: "t",
  desc: "TABLE",
  section: "pre-data",
  defn: "CREATE TABLE t (i integer);\n",
  dropStmt: null,
  copyStmt: null,
  namespace: "public",
  tablespace: null,
  tableam: null,
  owner: null,
  dependencies: [],
  file: "",
};
const data = (dumpId: number, file: string): TocEntry => ({
  ...plainEntry,
  dumpId,
  hadDumper: true,
  desc: "TABLE DATA",
  section: "data",
  defn: null,
  copyStmt: "COPY public.t (i) FROM stdin;\n",
  dependencies: [1],
  file,
});
const blobs: TocEntry = { ...data(9, "blobs.toc"), tag: "BLOBS", desc: "BLOBS", copyStmt: null, dependencies: [] };
const encoding: TocEntry = {
  ...plainEntry,
  dumpId: 100,
  tag: "ENCODING",
  desc: "ENCODING",
  defn: "SET client_encoding = 'UTF8';\n",
  namespace: null,
};

function tocOf(...entries: TocEntry[]): Uint8Array {
  return writeToc({
    minor: 14,
    format: "directory",
    compression: "gzip",
    createdAt: new Date(0),
    database: "d",
    serverVersion: "15.1",
    dumpVersion: "15.1",
    entries: [encoding, plainEntry, ...entries],
  });
}

describe("an archive in directory format made to do harm", () => {
  const rows = Buffer.from("1\n2\n\\.\n\n\n");

  test("reads when it does none", async () => {
    const store = memoryStore([
      ["a/toc.dat", tocOf(data(2, "2.dat"), blobs)],
      ["a/2.dat", rows],
      ["a/blobs.toc", Buffer.from("5 blob_5.dat\n")],
      ["a/blob_5.dat", Buffer.from("five")],
    ]);
    expect(await contentsOf(await openIn(store))).toEqual({
      tables: { "public.t": "1\n2\n" },
      largeObjects: { 5: Buffer.from("five").toString("hex") },
    });
    expect(await problemsOf(store)).toEqual([]);
  });

  test.each(["/etc/passwd", "../2.dat", "x/../../2.dat", "..", ".", "x//y", "x\\y", "2.dat\n"])(
    "with the data file %j is refused when it is opened",
    async (file) => {
      const store = memoryStore([["a/toc.dat", tocOf(data(2, file))]]);
      await expect(openFound(foundIn(store))).rejects.toMatchObject({
        code: "archive_invalid",
        message: expect.stringContaining("not a name within the archive"),
      });
    },
  );

  test("with a name of a thousand letters is refused", async () => {
    const store = memoryStore([["a/toc.dat", tocOf(data(2, "x".repeat(1100)))]]);
    await expect(openFound(foundIn(store))).rejects.toMatchObject({ code: "archive_invalid" });
  });

  test("with NUL bytes in a name or statement is refused", async () => {
    for (const bad of [{ tag: "a\0b" }, { defn: "SELECT 1;\0DROP" }, { file: "2.dat\0" }]) {
      const store = memoryStore([["a/toc.dat", tocOf({ ...data(2, "2.dat"), ...bad })]]);
      await expect(openFound(foundIn(store))).rejects.toMatchObject({ code: "archive_invalid" });
    }
  });

  test("with one data file for two entries is refused: a small file would be read again and again", async () => {
    for (const second of ["2.dat", "2.dat.gz"]) {
      const store = memoryStore([["a/toc.dat", tocOf(data(2, "2.dat"), data(3, second))]]);
      await expect(openFound(foundIn(store))).rejects.toMatchObject({
        message: expect.stringContaining("two entries"),
      });
    }
  });

  test.each([
    ["5 ../blob_5.dat\n", "not a name within"],
    ["5 /blob_5.dat\n", "not a name within"],
    ["5 blob_6.dat\n", "for large object 5"],
    ["5 2.dat\n", "for large object 5"],
    ["5 blob_5.dat\n5 blob_5.dat\n", "twice"],
    ["99999999999 blob_99999999999.dat\n", "not an oid"],
    ["4294967296 blob_4294967296.dat\n", "not an oid"],
    ["0 blob_0.dat\n", "not an oid"],
    ["-5 blob_5.dat\n", "not an oid"],
    ["5 blob_5.dat", "is cut"],
    [`5 ${"x".repeat(5000)}`, "not an oid"],
    ["5 blob_5.dat\n6 blob_6.dat\n", "is not in"],
  ])("with the list of large objects %j is refused", async (list, says) => {
    const store = memoryStore([
      ["a/toc.dat", tocOf(blobs)],
      ["a/blobs.toc", Buffer.from(list)],
      ["a/blob_5.dat", Buffer.from("five")],
    ]);
    expect(await readsOrRefuses(store)).toBe(false);
    expect((await problemsOf(store)).join()).toContain(says);
  });

  test("with dependencies in a circle, on itself, or on huge ids is read, and verify names the circle", async () => {
    const circle = [
      { ...plainEntry, dumpId: 5, tag: "five", dependencies: [6, 2147483647] },
      { ...plainEntry, dumpId: 6, tag: "six", dependencies: [7] },
      { ...plainEntry, dumpId: 7, tag: "seven", dependencies: [5, 5] },
    ];
    const store = memoryStore([["a/toc.dat", tocOf(...circle)]]);
    expect(await readsOrRefuses(store)).toBe(true);
    expect((await problemsOf(store)).join()).toMatch(/circle: TABLE public\.(five|six|seven) → /);
    const wide = memoryStore([["a/toc.dat", tocOf({ ...plainEntry, dumpId: 5, dependencies: [2147483647, 9] })]]);
    expect(await problemsOf(wide)).toEqual([]);
  });

  test("with a list of a hundred thousand entries that depend on each other is checked at once", async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({
      ...plainEntry,
      dumpId: i + 200,
      dependencies: [i + 201],
    }));
    const store = memoryStore([["a/toc.dat", tocOf(...many)]]);
    const began = performance.now();
    expect(await problemsOf(store)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

describe("a bomb", () => {
  const run = promisify(execFile);

  /** Verifies an archive in a process of its own; its problems, seconds and peak memory in MB. */
  async function verifyApart(folder: string): Promise<{ problems: string[]; seconds: number; megabytes: number }> {
    const program = join(import.meta.dirname, "verify-apart.ts");
    const { stdout } = await run(process.execPath, [program, folder]);
    return JSON.parse(stdout);
  }

  // When garbage is collected is chance; a bomb that were held would take 512 MB or more. A window of 128 MB is what
  // `pg_dump --compress=zstd:long` asks for.
  test.each([
    ["gzip", 400],
    ["lz4", 400],
    ["zstd", 400],
    ["zstd with the largest window", 450],
  ] as const)("of %s is streamed within %i MB for the whole process", async (name, most) => {
    const kind = name === "zstd with the largest window" ? "zstd" : name;
    const size = kind === "zstd" ? gigabyte : gigabyte / 2;
    const bomb = name === kind ? bombs[kind](size) : bombs.zstd(size, 0x88);
    const folder = temporaryFolder();
    const suffix = { gzip: ".gz", zstd: ".zst", lz4: ".lz4" }[kind];
    await writeFile(join(folder, "toc.dat"), tocOf(data(2, "2.dat"), blobs));
    await writeFile(join(folder, "blobs.toc"), "5 blob_5.dat\n");
    await writeFile(join(folder, `blob_5.dat${suffix}`), bomb);
    await writeFile(join(folder, `2.dat${suffix}`), bomb);
    const { problems, megabytes, seconds } = await verifyApart(folder);
    // A large object of zeros is what it says; rows of zeros are none.
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("NUL byte in row 1");
    expect(megabytes).toBeLessThan(most);
    expect(seconds).toBeLessThan(30);
  });

  test("in place of the table of contents is refused early", async () => {
    const folder = temporaryFolder();
    const head = Buffer.from(tocOf()).subarray(0, 60);
    await writeFile(join(folder, "toc.dat.gz"), Buffer.concat([gzipSync(head), bombs.gzip(gigabyte)]));
    const { problems, megabytes } = await verifyApart(folder);
    expect(problems).toEqual([expect.stringContaining("larger than any that pg_dump writes")]);
    expect(megabytes).toBeLessThan(250);
  });
});

const gigabyte = 1e9;

/** Zeros, compressed to a few KB or MB. */
const bombs = {
  gzip: (size: number) => repeated(gzipSync(Buffer.alloc(1e7)), size / 1e7),
  lz4: (size: number) => repeated(lz4Frame(Buffer.alloc(4e6), { blockSize: 7 }), size / 4e6),
  /** One frame of run-length blocks: four bytes for 128 KiB. */
  zstd: (size: number, window = 0x50) => {
    const blocks = Math.ceil(size / 131_072);
    const block = (last: number) => Buffer.from([...word24((131_072 << 3) | (1 << 1) | last), 0]);
    return Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, window]),
      repeated(block(0), blocks - 1),
      block(1),
    ]);
  },
};

function word24(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, value >>> 16];
}

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}
