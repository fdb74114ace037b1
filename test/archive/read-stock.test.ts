import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { debianMajor, debianPrograms } from "../../servers/debian.ts";
import { once } from "../../shared/archive/digesting.ts";
import { openArchive } from "../../shared/archive/read/open.ts";
import { verifyAny, verifyFound } from "../../shared/archive/verify/any.ts";
import { openStore } from "../../shared/store/open.ts";
import { temporaryFolder } from "../support/belay.ts";
import { createDebianDatabase, describeWithDebian, psql, runProgram } from "../support/debian.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { testBucket } from "../support/s3.ts";
import { lz4Frame } from "./lz4-frame.ts";
import { type Contents, contentsOf, foundIn, gather, hasSamples, inMemory, openIn, stockSamples } from "./stock.ts";

/** The source of the samples, without what belongs to the whole server. */
function sourceSql(): string {
  return readFileSync(join(stockSamples, "source.sql"), "utf8")
    .replace(
      /CREATE ROLE (\w+);/g,
      "DO $$$$ BEGIN CREATE ROLE $1; EXCEPTION WHEN duplicate_object THEN NULL; END $$$$;",
    )
    .replace(/^ALTER DATABASE .*$/m, "");
}

describeWithDebian("stock archives", () => {
  describe.skipIf(!hasSamples)(hasSamples ? "of a database" : "of a database (skipped: no samples)", () => {
    let source: TestDatabase;
    let truth: Contents;
    let folder: string;

    beforeAll(async () => {
      source = await createDebianDatabase();
      await psql(source.url, sourceSql());
      truth = await readSource(source.url);
      folder = temporaryFolder();
    });
    afterAll(() => source.drop());

    test.each(["--section=pre-data", "--section=data", "--section=post-data", "--schema-only", "--data-only"])(
      "%s alone is a whole archive, large objects or not",
      async (part) => {
        for (const format of ["d", "c"]) {
          const path = join(folder, `part${part}.${format}`);
          await runProgram("pg_dump", [part, `-F${format}`, "-f", path], { url: source.url });
          expect((await verifyAny(pathToFileURL(path).href)).problems).toEqual([]);
        }
      },
    );

    const samples = hasSamples ? readdirSync(stockSamples).filter((name) => !name.endsWith(".sql")) : [];
    test.each(samples)("%s holds the rows and large objects of the source", async (name) => {
      const url = pathToFileURL(join(stockSamples, name)).href;
      expect(await contentsOf(await openArchive(url))).toEqual(truth);
      expect(await verifyAny(url)).toMatchObject({ problems: [], notes: [], tables: 5, rows: 2005, largeObjects: 3 });
    });

    test.each([
      ["-Fc", "-Z0"],
      ["-Fc", "-Z9"],
      ["-Fd", "-Z0"],
      ["-Fd", "-Z9"],
      ["-Fc", "-Z0", "--data-only"],
      ["-Fd", "-Z1", "-j2", "--no-blobs"],
      ["-Fc", "--encoding=LATIN1", "--exclude-table=app.parent"],
    ])("as pg_dump writes it with %s %s", async (...flags) => {
      const place = join(folder, flags.join(""));
      await runProgram("pg_dump", [...flags, "-f", place], { url: source.url });
      const { tables, largeObjects } = await contentsOf(await openArchive(pathToFileURL(place).href));
      const without = flags.includes("--exclude-table=app.parent") ? ["app.parent"] : [];
      const wanted = Object.fromEntries(Object.entries(truth.tables).filter(([name]) => !without.includes(name)));
      expect(tables).toEqual(wanted);
      expect(largeObjects).toEqual(
        flags.includes("--no-blobs") ? {} : without.length > 0 ? expect.anything() : truth.largeObjects,
      );
      expect(await verifyAny(pathToFileURL(place).href)).toMatchObject({ problems: [], notes: [] });
    });

    test("a dump that went through a pipe has no positions: its blocks are walked, in any order of asking", async () => {
      const place = join(folder, "piped.custom");
      const dumped = await pipedDump(source.url);
      await writeFile(place, dumped);
      const archive = await openArchive(pathToFileURL(place).href);
      if (archive.format === "plain") throw new Error("not plain");
      const withData = archive.toc.entries.filter(({ hadDumper }) => hadDumper);
      expect(new Set(withData.map(({ offset }) => offset?.state))).toEqual(new Set(["unknown"]));
      expect(await contentsOf(archive)).toEqual(truth);
      const backwards = await Promise.all(
        withData.reverse().map(async (entry) => {
          let size = 0;
          if (entry.desc === "BLOBS") for await (const { oid } of archive.largeObjects(entry)) size += oid;
          else for await (const chunk of archive.data(entry)) size += chunk.length;
          return [entry.tag, size];
        }),
      );
      expect(Object.fromEntries(backwards)).toMatchObject({ BLOBS: 3_000_034_000, child: 23_786 });
    });

    test.each(["-Fc", "-Fd"])("with --inserts (%s) the data is SQL, to its last statement", async (format) => {
      const place = join(folder, `inserts${format}`);
      await runProgram("pg_dump", [format, "--inserts", "-f", place], { url: source.url });
      const { tables } = await contentsOf(await openArchive(pathToFileURL(place).href));
      expect(tables["app.part1"]).toBe("INSERT INTO app.part1 VALUES (1, 'x');\n\n\n");
      expect(tables["app.emptyt"]).toBe("\n\n");
      expect(tables["app.child"]!.split("\n")).toHaveLength(2003);
      expect(await verifyAny(pathToFileURL(place).href)).toMatchObject({ problems: [], tables: 5, largeObjects: 3 });
    });

    test("files that were compressed otherwise by hand are read by what they are now", async () => {
      const store = await inMemory(join(stockSamples, "pg15.dir"));
      for (const [key, bytes] of [...store.objects].filter(([name]) => name.endsWith(".gz"))) {
        const plain = gunzipSync(bytes);
        const bare = key.slice(0, -3);
        store.objects.delete(key);
        if (key.includes("blob_16999")) store.objects.set(bare, plain);
        else if (key.includes("blob")) store.objects.set(`${bare}.lz4`, plain.length === 0 ? plain : lz4Frame(plain));
        else store.objects.set(`${bare}.zst`, zstdCompressSync(plain));
      }
      expect(await contentsOf(await openIn(store))).toEqual(truth);
      expect(await verifyFound(foundIn(store))).toMatchObject({ problems: [], notes: [] });
    });

    test("an empty object where S3 has no folder does not hide the archive", async () => {
      const bucket = testBucket();
      const store = openStore(bucket.url, bucket.credentials);
      const local = await inMemory(join(stockSamples, "pg15.dir"));
      for (const [key, bytes] of [["a", Buffer.alloc(0)] as const, ...local.objects])
        await store.write(key, once(bytes));
      const archive = await openArchive(bucket.url.replace("?", "/a?"), { credentials: bucket.credentials });
      expect(await contentsOf(archive)).toEqual(truth);
    });

    test("an unpacked tar archive is in directory format", async () => {
      const tar = join(folder, "t.tar");
      await runProgram("pg_dump", ["-Ft", "-f", tar], { url: source.url });
      await expect(openArchive(pathToFileURL(tar).href)).rejects.toMatchObject({
        code: "archive_invalid",
        message: expect.stringContaining("tar archive (pg_dump -Ft)"),
        hint: expect.stringContaining("tar -xf"),
      });
      const unpacked = temporaryFolder();
      execFileSync("tar", ["-xf", tar, "-C", unpacked]);
      expect(await contentsOf(await openArchive(pathToFileURL(unpacked).href))).toEqual(truth);
    });

    test.each(["pg17.custom", "pg16-lz4.custom", "pg16-zstd.dir", "pg13.dir"])(
      "%s reads from S3 as from a folder",
      async (name) => {
        const bucket = testBucket();
        const store = openStore(bucket.url, bucket.credentials);
        const local = await inMemory(join(stockSamples, name));
        for (const [key, bytes] of local.objects)
          await store.write(
            key,
            (async function* () {
              yield bytes;
            })(),
          );
        const url = bucket.url.replace("?", "/a?");
        const archive = await openArchive(url, { credentials: bucket.credentials });
        expect(archive.place.url).toBe(store.url.replace("?", "/a?"));
        expect(await contentsOf(archive)).toEqual(truth);
        expect(await verifyAny(url, { credentials: bucket.credentials })).toMatchObject({ problems: [] });
      },
    );

    test("one table of a custom-format file is read by its range, not by reading the file", async () => {
      const store = await inMemory(join(stockSamples, "pg17.custom"));
      const archive = await openIn(store);
      const [entry] = archive.toc.entries.filter(({ tag, hadDumper }) => tag === "part1" && hadDumper);
      store.bytesRead = 0;
      for await (const _ of archive.data(entry!));
      expect(store.bytesRead).toBe(archive.dataBytes(entry!));
    });
  });
});

describeWithDebian("a stock archive in another encoding", () => {
  test.each([
    ["LATIN1", "naïve été", "iso-8859-1"],
    ["EUC_JP", "日本語", "euc-jp"],
    ["SJIS", "表示ソ", "shift_jis"],
  ])("%s: its names are decoded, its rows stay as they are", async (encoding, word, label) => {
    const source = await createDebianDatabase();
    await psql(
      source.url,
      `create table "${word}" (t text); insert into "${word}" values ('${word}'), ('x'); comment on table "${word}" is '${word}'`,
    );
    const place = join(temporaryFolder(), "d");
    await runProgram("pg_dump", ["-Fd", "-Z0", `--encoding=${encoding}`, "-f", place], { url: source.url });
    await source.drop();
    const archive = await openArchive(pathToFileURL(place).href);
    if (archive.format === "plain") throw new Error("not plain");
    expect(archive.toc.encoding).toBe(encoding);
    const [entry] = archive.toc.entries.filter(({ hadDumper }) => hadDumper);
    expect(entry).toMatchObject({ tag: word, copyStmt: `COPY public."${word}" (t) FROM stdin;\n` });
    expect(archive.toc.entries.find(({ desc }) => desc === "COMMENT")!.defn).toContain(`IS '${word}'`);
    expect(new TextDecoder(label).decode(await gather(archive.data(entry!)))).toBe(`${word}\nx\n`);
    expect(await verifyAny(pathToFileURL(place).href)).toMatchObject({ problems: [], rows: 2 });
  });
});

/** The source's rows as COPY gives them, in pg_dump's order of columns, and its large objects. */
async function readSource(url: string): Promise<Contents> {
  const copy = async (sql: string) => (await psql(url, sql)) ?? "";
  const tables: Record<string, string> = {};
  const columns: Record<string, string> = {
    child: "(id, pid, note)",
    parent: "(id, name, m, p, b)",
    part1: "(k, v)",
    emptyt: "(x)",
    nocols: "",
  };
  for (const [name, list] of Object.entries(columns))
    tables[`app.${name}`] = await copy(`copy app.${name} ${list} to stdout`);
  const objects = await psql(
    url,
    "copy (select oid, encode(lo_get(oid), 'hex') from pg_largeobject_metadata) to stdout",
  );
  const largeObjects = Object.fromEntries(
    objects
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t") as [string, string]),
  );
  return { tables, largeObjects };
}

/** A dump that was written into a pipe, where pg_dump cannot go back to note positions. */
async function pipedDump(url: string): Promise<Buffer> {
  const child = spawn(join(debianPrograms(debianMajor)!, "pg_dump"), ["-Fc", url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return await gather(child.stdout);
}
