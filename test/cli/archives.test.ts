import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { type TocEntry, writeToc } from "../../shared/archive/format/toc.ts";
import { hasSamples, stockSamples } from "../archive/stock.ts";
import { temporaryFolder } from "../support/belay.ts";
import { testBucket } from "../support/s3.ts";
import { belay, repository } from "./support.ts";

const tocOf = (entry: TocEntry): Uint8Array =>
  writeToc({
    ...{ minor: 14, format: "directory", compression: "gzip", createdAt: new Date(0), database: "d" },
    ...{ serverVersion: "15", dumpVersion: "15", entries: [entry] },
  });

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, "empty.dump"), "");
  writeFileSync(
    join(folder, "script.sql.gz"),
    gzipSync("CREATE TABLE t (i integer);\nINSERT INTO t VALUES (1), (2);\n"),
  );
});

/** Neither database nor store is set. */
const json = async (code: number, ...words: string[]) => {
  const ran = await belay(["archives", ...words, "--json"]);
  expect(ran.code, ran.error).toBe(code);
  return JSON.parse(ran.out);
};

describe.skipIf(!hasSamples)("belay archives of a stock archive, with neither store nor database", () => {
  it("show says what is in it", async () => {
    const { code, out } = await belay(["archives", "show", join(stockSamples, "pg17.dir")]);
    expect(code).toBe(0);
    expect(out).toMatch(/Format +directory 1\.16, compression gzip, UTF8/);
    expect(out).toMatch(/Dumped +2026-11-20 17:44:15 .* by pg_dump 17\.11/);
    expect(out).toMatch(/From +rich \(PostgreSQL 15\.18/);
    expect(out).toMatch(/Holds +67 entries, data of 5 tables/);
    expect(out).toMatch(/Large objects 3/);
    expect(out).toMatch(/Extensions +pg_trgm/);
    expect(out).toMatch(/Roles +alice, bob/);
    expect(out).toMatch(/app\.child +9\.6 kB +COPY/);
    expect(await json(0, "show", pathToFileURL(join(stockSamples, "pg16-lz4.custom")).href)).toMatchObject({
      format: "custom",
      formatVersion: "1.15",
      compression: "lz4",
      dumpVersion: "16.2",
      largeObjects: 3,
      extensions: ["pg_trgm"],
      tables: expect.arrayContaining([{ schema: "app", table: "child", storedBytes: 17_650, inserts: false }]),
    });
  });

  it("verify reads every byte, by path, by URL and by link", async () => {
    const link = join(folder, "latest.dump");
    symlinkSync(join(stockSamples, "pg15.custom"), link);
    for (const place of [link, pathToFileURL(link).href, relative(repository, join(stockSamples, "pg15.dir"))]) {
      const { code, out } = await belay(["archives", "verify", place]);
      expect(out).toMatch(
        /^✓ file:.*: every byte read back and decoded: 5 tables, 2,005 rows, 3 large objects, 28\.9 kB\n$/,
      );
      expect(code).toBe(0);
    }
  });

  it("verify names what is wrong and ends with 1", async () => {
    const copy = join(folder, "spoiled");
    cpSync(join(stockSamples, "pg17.dir"), copy, { recursive: true });
    writeFileSync(join(copy, "blob_16999.dat.gz"), "no gzip");
    const { code, out } = await belay(["archives", "verify", copy]);
    expect(code).toBe(1);
    expect(out).toMatch(/^✗ file:.*spoiled: 1 problem\n {2}BLOBS 16999: blob_16999\.dat\.gz does not decompress/);
    expect(await json(1, "verify", copy)).toMatchObject({ format: "directory", problems: [expect.any(String)] });
  });
});

describe("belay archives", () => {
  it("reads plain SQL by its place", async () => {
    expect(await json(0, "show", join(folder, "script.sql.gz"))).toMatchObject({ format: "plain" });
    const { out } = await belay(["archives", "verify", join(folder, "script.sql.gz")]);
    expect(out).toMatch(/✓ .*2 rows/);
    expect(out).toMatch(/· the script was not written by pg_dump/);
  });

  it("says what a file is that is no archive, and what to do", async () => {
    const verified = await belay(["archives", "verify", join(folder, "empty.dump")]);
    expect(verified).toMatchObject({ code: 1, out: expect.stringMatching(/is an empty file\n→ The dump .* failed/) });
    const shown = await belay(["archives", "show", join(folder, "empty.dump")]);
    expect(shown).toMatchObject({ code: 1, error: expect.stringContaining("is an empty file") });
  });

  it("keeps control characters of an archive's names from the terminal", async () => {
    const entry: TocEntry = {
      ...{ dumpId: 1, hadDumper: true, tableoid: "0", oid: "0", tag: "t\u001b[31m\u202e", desc: "TABLE DATA" },
      ...{ section: "data", defn: null, dropStmt: null, copyStmt: "COPY t FROM stdin;\n", namespace: "s\u0007" },
      ...{ tablespace: null, tableam: null, owner: "o\u001b]0;x", dependencies: [1], file: "1.dat" },
    };
    for (const [name, file] of [
      ["lost", "1.dat"],
      ["leading-out", "../1.dat"],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "toc.dat"), tocOf({ ...entry, file }));
      for (const action of ["show", "verify"]) {
        const { out, error } = await belay(["archives", action, join(folder, name)]);
        expect(out + error).toContain("t\ufffd[31m\ufffd");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not come
        expect(out + error).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
      }
    }
  });

  it("lists a store by its place, damaged and unfinished archives too, and fails on damage", async () => {
    const store = join(folder, "store");
    for (const [id, file] of [
      ["dump-20260101t000000z-00000001", "manifest.json"],
      ["dump-20260102t000000z-00000002", "toc.dat"],
    ] as const) {
      mkdirSync(join(store, "archives", id), { recursive: true });
      writeFileSync(join(store, "archives", id, file), "{");
    }
    const { code, out } = await belay(["archives", "list", store]);
    expect(code).toBe(1);
    expect(out).toMatch(/^0 archives in file:.*store\n✗ dump-20260101\S+ cannot be used: the manifest .* is damaged/);
    expect(out).toMatch(/· dump-20260102\S+ has no manifest/);
    expect(await json(1, "list", pathToFileURL(store).href)).toMatchObject({
      archives: [],
      damaged: [{ id: "dump-20260101t000000z-00000001" }],
      unfinished: ["dump-20260102t000000z-00000002"],
    });
  });

  it("takes places in S3, with the keys of the environment", async () => {
    const bucket = testBucket();
    const environment = {
      AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
    };
    const { code, out } = await belay(["archives", "list", bucket.url], environment);
    expect([code, out]).toEqual([0, expect.stringMatching(/^0 archives in s3:/)]);
    const nothing = await belay(["archives", "verify", bucket.url.replace("?", "/nothing?")], environment);
    expect(nothing).toMatchObject({ code: 2, error: expect.stringContaining("there is nothing at s3:") });
    expect(await belay(["archives", "show", bucket.url])).toMatchObject({
      code: 1,
      error: expect.stringContaining("AWS_ACCESS_KEY_ID"),
    });
  });

  it("needs to be told which archive", async () => {
    for (const action of ["show", "verify"])
      expect(await belay(["archives", action])).toMatchObject({
        code: 2,
        error: expect.stringContaining("needs an archive"),
      });
    expect(await belay(["archives", "burn", "x"])).toMatchObject({ code: 2 });
    expect(await belay(["archives", "verify", "no-such-id"])).toMatchObject({
      code: 2,
      error: expect.stringContaining("no store is set"),
    });
  });
});
