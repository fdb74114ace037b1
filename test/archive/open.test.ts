import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { openArchive } from "../../shared/archive/read/open.ts";
import { verifyAny } from "../../shared/archive/verify/any.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { isBelayError } from "../../shared/errors.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { testBucket } from "../support/s3.ts";
import { lz4Frame } from "./lz4-frame.ts";
import { contentsOf, hasSamples, stockSamples } from "./stock.ts";
import { archiveFolder, errorOf } from "./support.ts";

let folder: string;
const url = (name: string) => pathToFileURL(join(folder, name)).href;
const put = (name: string, content: string | Uint8Array) => {
  mkdirSync(join(folder, name, ".."), { recursive: true });
  writeFileSync(join(folder, name), content);
  return url(name);
};

beforeAll(() => {
  folder = temporaryFolder();
});

/** The first bytes of a tar file whose first member has this name. */
function tar(member: string): Buffer {
  const header = Buffer.alloc(1024);
  header.write(member, 0, "latin1");
  header.write("ustar\0", 257, "latin1");
  return header;
}

const script = "--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\n\n--\n-- PostgreSQL database dump complete\n--\n";
const custom = Buffer.from("PGDMP\x01\x0e\x00\x04\x08\x01", "latin1");

describe("what is no archive is refused by what it is, with the next step", () => {
  test.each<[string, string | Uint8Array, RegExp, RegExp]>([
    ["an empty file", "", /is an empty file/, /failed/],
    ["a tar archive", tar("toc.dat"), /tar archive \(pg_dump -Ft\)/, /tar -xf/],
    ["a base backup", tar("backup_label"), /pg_basebackup/, /Start a server/],
    ["a compressed base backup", gzipSync(tar("base/1/1259")), /pg_basebackup/, /Start a server/],
    ["a tar file of something", tar("dump/toc.dat"), /is a tar file/, /unpack/],
    ["roles of a server", "--\n-- PostgreSQL database cluster dump\n--\n\nCREATE ROLE a;\n", /pg_dumpall/, /psql/],
    ["the same, compressed", gzipSync("--\n-- PostgreSQL database cluster dump\n--\n"), /pg_dumpall/, /psql/],
    ["the table of contents", Buffer.from("PGDMP\x01\x0e\x00\x04\x08\x03", "latin1"), /table of contents/, /folder/],
    ["an archive compressed again", gzipSync(custom), /compressed again/, /gunzip/],
    ["the same with zstd", zstdCompressSync(custom), /compressed again/, /zstd -d/],
    ["the same with lz4", lz4Frame(custom), /compressed again/, /lz4 -d/],
    ["a script compressed twice", gzipSync(gzipSync(script)), /compressed twice/, /gunzip/],
    ["UTF-16", Buffer.from(`\ufeff${script}`, "utf16le"), /UTF-16/, /--file/],
    ["UTF-16 without a mark", Buffer.from(script, "utf16le"), /UTF-16/, /--file/],
    ["bzip2", "BZh91AY&SY", /bzip2/, /bunzip2/],
    ["xz", Buffer.from("fd377a585a00", "hex"), /xz/, /unxz/],
    ["zip", "PK\x03\x04aaaaaaaa", /zip/, /Unpack/],
    ["a dump of MySQL", "-- MySQL dump 10.13\n", /MySQL/, /PostgreSQL/],
    ["an SQLite database", "SQLite format 3\0aaaa", /SQLite/, /PostgreSQL/],
    ["noise", Buffer.from("00ff00ff12345678", "hex"), /begins with 00ff00ff12345678/, /pg_dump/],
    ["a cut header", "PGD", /table of contents/, /cut/],
    ["a version to come", Buffer.from("PGDMP\x01\x11\x00\x04\x08\x01", "latin1"), /1\.17/, /10 to 18/],
  ])("%s", async (name, content, says, hint) => {
    const refused = await openArchive(put(name, content)).catch((error: unknown) => error);
    if (!isBelayError(refused, "archive_invalid")) throw refused;
    expect(refused.message).toMatch(says);
    expect(refused.hint).toMatch(hint);
    expect(await verifyAny(url(name))).toMatchObject({ format: null, problems: [refused.message], hint: refused.hint });
  });

  test("nothing at all, and a folder without toc.dat", async () => {
    expect(await errorOf(openArchive(url("gone")))).toMatchObject({ code: "unknown_archive" });
    expect(await errorOf(openArchive(`${url("gone")}/`))).toMatchObject({ code: "unknown_archive" });
    put("notes/readme", "x");
    expect(await errorOf(openArchive(url("notes")))).toMatchObject({
      code: "archive_invalid",
      message: expect.stringContaining("no toc.dat"),
    });
    put("server/PG_VERSION", "15\n");
    expect((await errorOf(openArchive(url("server")))).message).toContain("pg_basebackup");
    expect(readdirSync(folder)).not.toContain("gone");
  });

  test("a wrong place", async () => {
    for (const place of ["ftp://host/x", "s3://", "s3://bucket", "s3://bucket/%ff", "file://host/x", "://"])
      expect(
        await errorOf(openArchive(place, { credentials: { accessKeyId: "a", secretAccessKey: "b" } })),
      ).toMatchObject({
        code: "usage",
      });
    expect(await errorOf(openArchive("s3://bucket/key"))).toMatchObject({ code: "store_denied" });
    expect((await errorOf(openArchive("s3://user:secret@bucket/key"))).message).not.toContain("secret");
    expect(await errorOf(openArchive("an-id"))).toMatchObject({ code: "usage" });
    expect(await errorOf(openArchive("an-id", { store: createFolderStore(folder) }))).toMatchObject({
      code: "unknown_archive",
    });
    expect(await errorOf(openArchive("../id", { store: createFolderStore(folder) }))).toMatchObject({
      code: "unknown_archive",
    });
  });

  test("nothing in a bucket", async () => {
    const bucket = testBucket();
    const place = bucket.url.replace("?", "/nothing?");
    expect(await errorOf(openArchive(place, { credentials: bucket.credentials }))).toMatchObject({
      code: "unknown_archive",
    });
  });
});

describe("what is an archive is told by its bytes, not by its name", () => {
  test.each<[string, string | Uint8Array]>([
    ["script.custom", script],
    ["script.dump", gzipSync(script)],
    ["script.gz", zstdCompressSync(script)],
    ["script.sql.zst", lz4Frame(Buffer.from(script))],
    ["marked.sql", `\ufeff${script}`],
  ])("%s is plain SQL", async (name, content) => {
    expect(await openArchive(put(name, content))).toMatchObject({ format: "plain" });
    expect(await verifyAny(url(name))).toMatchObject({ format: "plain", problems: [] });
  });

  test.skipIf(!hasSamples)("a custom-format file that is called .sql; names with blanks, dots and signs", async () => {
    cpSync(join(stockSamples, "pg17.custom"), join(folder, "dump.sql"));
    expect(await openArchive(url("dump.sql"))).toMatchObject({ format: "custom" });
    for (const name of ["a b.c", "ä%20#?", "x.tar.gz"]) {
      cpSync(join(stockSamples, "pg15.dir"), join(folder, name), { recursive: true });
      expect(await openArchive(url(name))).toMatchObject({ format: "directory" });
      expect(await openArchive(`${url(name)}/`)).toMatchObject({ format: "directory", place: { url: url(name) } });
    }
  });

  test.skipIf(!hasSamples)("a directory whose toc.dat or blobs.toc was compressed afterwards", async () => {
    cpSync(join(stockSamples, "pg15.dir"), join(folder, "packed"), { recursive: true });
    const before = await contentsOf(await openArchive(url("packed")));
    for (const file of ["toc.dat", "blobs.toc"]) {
      put(`packed/${file}.gz`, gzipSync(readFileSync(join(folder, "packed", file))));
      rmSync(join(folder, "packed", file));
    }
    expect(await contentsOf(await openArchive(url("packed")))).toEqual(before);
  });
});

describe("an archive of Belay's own", () => {
  test("opens by its id and wherever it was copied to, and is checked against its manifest there", async () => {
    const database = await createDatabase({
      sql: "create table t (i integer, note text); insert into t values (1, 'one'), (2, null)",
    });
    const store = createFolderStore(join(folder, "store"));
    const manifest = await dumpDatabase(testBelay({ database: database.url, store }), { reason: "test" });
    await database.drop();
    const rows = { tables: { "public.t": "1\tone\n2\t\\N\n" }, largeObjects: {} };
    expect(await contentsOf(await openArchive(manifest.id, { store }))).toEqual(rows);
    cpSync(archiveFolder(store, manifest.id), join(folder, "copied"), { recursive: true });
    const copied = await openArchive(url("copied"));
    expect(copied).toMatchObject({ format: "belay", manifest: { id: manifest.id } });
    expect(await contentsOf(copied)).toEqual(rows);
    expect(await verifyAny(url("copied"))).toMatchObject({ format: "belay", problems: [], tables: 1, rows: 2 });

    const { file } = manifest.tables[0]!;
    put(`copied/${file}`, gzipSync("1\tten\n2\t\\N\n\\.\n\n\n"));
    expect(await errorOf(contentsOf(await openArchive(url("copied"))))).toMatchObject({ code: "archive_invalid" });
    expect((await verifyAny(url("copied"))).problems.join()).toContain(file);
    put("copied/toc.dat", Buffer.concat([readFileSync(join(folder, "copied", "toc.dat")), Buffer.from("x")]));
    expect(await errorOf(openArchive(url("copied")))).toMatchObject({ message: expect.stringContaining("toc.dat") });
    put("copied/manifest.json", "{");
    expect(await errorOf(openArchive(url("copied")))).toMatchObject({ message: expect.stringContaining("manifest") });
  });

  test("without its manifest is refused: nobody knows whether it is whole", async () => {
    const folders = readdirSync(join(folder, "store", "archives"));
    const copy = join(folder, "cut");
    cpSync(join(folder, "store", "archives", folders[0]!), copy, {
      recursive: true,
      filter: (path) => !path.endsWith("manifest.json"),
    });
    expect(await errorOf(openArchive(url("cut")))).toMatchObject({
      code: "archive_invalid",
      message: expect.stringContaining("no manifest.json"),
    });
  });
});
