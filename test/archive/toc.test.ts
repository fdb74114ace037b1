import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readToc, type Toc, type TocEntry, writeToc } from "../../shared/archive/format/toc.ts";
import { isBelayError } from "../../shared/errors.ts";

const archives = resolve(import.meta.dirname, "../../../shared/corpora/archives");

const text = fc.string({ unit: "binary" }).map((value) => value.replaceAll("\0", "").toWellFormed());
const line = text.map((value) => value.replaceAll(/[\r\n]+/g, " "));
const nullable = fc.option(text);
const entryFields = fc.record({
  hadDumper: fc.boolean(),
  tableoid: fc.nat().map(String),
  oid: fc.nat().map(String),
  tag: text,
  desc: text.map((value) => `X${value}`),
  section: fc.constantFrom("none" as const, "pre-data" as const, "data" as const, "post-data" as const),
  defn: nullable,
  dropStmt: nullable,
  copyStmt: nullable,
  namespace: nullable,
  tablespace: nullable,
  tableam: nullable,
  relkind: fc.constant(0),
  owner: nullable,
  dependencies: fc.array(fc.nat({ max: 0x7fffffff })),
  file: text,
});
const entries = fc
  .array(entryFields, { maxLength: 20 })
  .map((list) => list.map((fields, index): TocEntry => ({ dumpId: index * 3 + 1, ...fields })));
const tocs: fc.Arbitrary<Omit<Toc, "encoding" | "intSize">> = fc.record({
  minor: fc.constant(14),
  format: fc.constant("directory" as const),
  compression: fc.constantFrom("none" as const, "gzip" as const),
  createdAt: fc
    .date({ min: new Date(0), max: new Date("2200-01-01T00:00:00Z"), noInvalidDate: true })
    .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000)),
  database: fc.option(text),
  serverVersion: fc.option(line),
  dumpVersion: fc.option(line),
  entries,
});

describe("a table of contents", () => {
  it("reads back as it was written", () => {
    fc.assert(
      fc.property(tocs, (toc) => {
        expect(readToc(writeToc(toc))).toEqual({ ...toc, encoding: "SQL_ASCII", intSize: 4 });
      }),
    );
  });

  it("that was cut anywhere is refused as archive_invalid", () => {
    fc.assert(
      fc.property(tocs, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (toc, share) => {
        const bytes = writeToc(toc);
        expectInvalid(bytes.subarray(0, Math.floor(bytes.length * share)));
      }),
    );
  });

  it("with bytes changed is read or refused as archive_invalid, never with another error", () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(tocs, fc.array(change, { minLength: 1, maxLength: 8 }), (toc, changes) => {
        const bytes = writeToc(toc);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        readOrInvalid(bytes);
      }),
    );
  });

  it("of noise behind the magic is read or refused as archive_invalid", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        readOrInvalid(Buffer.concat([Buffer.from([0x50, 0x47, 0x44, 0x4d, 0x50, 1, 14, 0, 4, 8, 3]), noise]));
      }),
    );
  });

  it("that claims two thousand million entries, or a string of that length, is refused at once", () => {
    const head = writeToc({ ...empty, entries: [] });
    const claimsEntries = Buffer.from(head);
    claimsEntries.set([0, 0xff, 0xff, 0xff, 0x7f], claimsEntries.length - 5);
    expectInvalid(claimsEntries);
    const claimsString = Buffer.from(head);
    claimsString.set([0, 0xff, 0xff, 0xff, 0x7f], 11 + 5 + 7 * 5);
    expectInvalid(claimsString);
  });

  it("of a version that Belay does not know is refused by its number", () => {
    const bytes = Buffer.from(writeToc(empty));
    bytes[6] = 17;
    expect(() => readToc(bytes)).toThrow(/version 1\.17/);
  });

  it("with one entry id twice, or below 1, is not written", () => {
    const entry = { ...sample, dumpId: 5 };
    expect(() => writeToc({ ...empty, entries: [entry, entry] })).toThrow(/entry id 5 occurs twice/);
    expect(() => writeToc({ ...empty, entries: [{ ...entry, dumpId: 0 }] })).toThrow(/entry id 0/);
  });

  it("in LATIN1 is decoded as its ENCODING entry says", () => {
    const encoding = {
      ...sample,
      dumpId: 1,
      desc: "ENCODING",
      tag: "ENCODING",
      defn: "SET client_encoding = 'LATIN1';\n",
    };
    const bytes = Buffer.from(writeToc({ ...empty, entries: [encoding, { ...sample, dumpId: 2, tag: "caf?" }] }));
    bytes[bytes.indexOf("caf?") + 3] = 0xe9;
    expect(readToc(bytes).entries[1]!.tag).toBe("café");
  });
});

describe.skipIf(!existsSync(archives))("archives that stock pg_dump wrote", async () => {
  const files = existsSync(archives) ? (await readdir(archives)).filter((file) => /\.(dir|custom)$/.test(file)) : [];
  it.each(files)("%s is read to the last byte", async (file) => {
    const path = file.endsWith(".dir") ? join(archives, file, "toc.dat") : join(archives, file);
    const toc = readToc(await readFile(path));
    const major = Number(/pg(\d+)/.exec(file)![1]);
    expect(toc.minor).toBe(major >= 17 ? 16 : major === 16 ? 15 : 14);
    expect(toc.format).toBe(file.endsWith(".dir") ? "directory" : "custom");
    expect(toc.compression).toBe(file.includes("lz4") ? "lz4" : file.includes("zstd") ? "zstd" : "gzip");
    expect(toc.database).toBe("rich");
    const data = toc.entries.filter((entry) => entry.desc === "TABLE DATA");
    expect(data.map((entry) => entry.tag)).toContain("parent");
    for (const entry of data)
      if (toc.format === "custom") expect(entry.offset?.state).toMatch(/known|unknown/);
      else expect(entry.file).toBe(`${entry.dumpId}.dat`);
    expect(toc.entries.find((entry) => entry.desc === "TABLE" && entry.tag === "parent")?.tableam).toBe("heap");
  });
});

const empty: Omit<Toc, "encoding" | "intSize"> = {
  minor: 14,
  format: "directory",
  compression: "gzip",
  createdAt: new Date("2025-01-02T03:04:05Z"),
  database: "demo",
  serverVersion: "15.18",
  dumpVersion: "belay",
  entries: [],
};

const sample: TocEntry = {
  dumpId: 1,
  hadDumper: false,
  tableoid: "0",
  oid: "0",
  tag: "t",
  desc: "TABLE",
  section: "pre-data",
  defn: null,
  dropStmt: null,
  copyStmt: null,
  namespace: null,
  tablespace: null,
  tableam: null,
  owner: null,
  dependencies: [],
  file: "",
};

function expectInvalid(bytes: Uint8Array): void {
  expect(() => readToc(bytes)).toThrow(expect.objectContaining({ code: "archive_invalid" }));
}

function readOrInvalid(bytes: Uint8Array): void {
  try {
    readToc(bytes);
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
  }
}
