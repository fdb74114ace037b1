import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chooseArchive } from "../../drills/choose.ts";
import { listArchives, readManifest, surveyArchives } from "../../shared/archive/list.ts";
import type { ArchivedTable, Manifest } from "../../shared/archive/types.ts";
import { requireVerified, verifyArchive } from "../../shared/archive/verify.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { archiveFolder, errorOf } from "./support.ts";

describe("an archive that was damaged", () => {
  let database: TestDatabase;
  let root: string;
  let good: ObjectStore;
  let manifest: Manifest;
  let table: ArchivedTable;
  let store: ObjectStore;
  let file: (name: string) => string;

  beforeAll(async () => {
    database = await createDatabase({
      sql: `create table t (i integer primary key, note text);
        insert into t select i, 'row ' || i from generate_series(1, 20000) i; create table u (x integer); insert into u values (1);
        select lo_from_bytea(20001, convert_to(repeat('large ', 3000), 'UTF8')), lo_from_bytea(20002, ''), lo_from_bytea(20003, 'three')`,
    });
    root = await mkdtemp(join(tmpdir(), "belay-damage-"));
    good = createFolderStore(join(root, "good"));
    manifest = await dumpDatabase(testBelay({ database: database.url, store: good }), { reason: "test" });
    table = manifest.tables.find((one) => one.table === "t")!;
  });
  afterAll(async () => {
    await database.drop();
    await rm(root, { recursive: true });
  });
  beforeEach(async () => {
    const folder = await mkdtemp(join(root, "bad-"));
    await cp(join(root, "good"), folder, { recursive: true });
    store = createFolderStore(folder);
    file = (name) => join(archiveFolder(store, manifest.id), name);
  });

  const problems = async () => (await verifyArchive(store, manifest.id)).problems.join("\n");
  const change = async (name: string, how: (bytes: Buffer) => Buffer) => {
    await writeFile(file(name), how(Buffer.from(await readFile(file(name)))));
  };
  const rows = (how: (text: string) => string) =>
    change(table.file, (bytes) => gzipSync(how(gunzipSync(bytes).toString())));
  /** Changes the manifest as someone would who repairs the sums too. */
  const forge = async (how: (manifest: Manifest) => void) => {
    const forged = structuredClone(manifest);
    how(forged);
    await writeFile(file("manifest.json"), JSON.stringify(forged));
  };
  const forgeSum = async (name: string) => {
    const bytes = await readFile(file(name));
    await forge((forged) => {
      const object = forged.objects.find((one) => one.file === name)!;
      Object.assign(object, { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
    });
  };

  test("undamaged it has no problem", async () => {
    expect(await problems()).toBe("");
    expect((await requireVerified(store, manifest.id)).id).toBe(manifest.id);
  });

  test("1. one bit flipped in a data file", async () => {
    await change(table.file, (bytes) => {
      bytes[Math.floor(bytes.length / 2)]! ^= 4;
      return bytes;
    });
    expect(await problems()).toContain(table.file);
    expect((await errorOf(requireVerified(store, manifest.id))).code).toBe("archive_invalid");
  });

  test.each([0.1, 0.5, 0.99])("2. a data file cut to %f", async (part) => {
    await change(table.file, (bytes) => bytes.subarray(0, Math.floor(bytes.length * part)));
    expect(await problems()).toContain(table.file);
  });

  test("3. a data file that is gone", async () => {
    await rm(file(table.file));
    expect(await problems()).toContain(table.file);
  });

  test("4. a row taken out, and the sums made right again", async () => {
    await rows((text) => text.replace(/^777\t.*\n/m, ""));
    await forgeSum(table.file);
    expect(await problems()).toMatch(/19999 rows instead of 20000/);
  });

  test("5. a value changed in length, and the sums made right again", async () => {
    await rows((text) => text.replace("row 777\n", "row 7777\n"));
    await forgeSum(table.file);
    expect(await problems()).toMatch(/bytes of rows instead of/);
  });

  test("6. a value changed", async () => {
    await rows((text) => text.replace("row 777\n", "row 778\n"));
    expect(await problems()).toMatch(/bytes instead of|another sha256/);
  });

  test("7. the end marker taken off, and the sums made right again", async () => {
    await rows((text) => text.slice(0, -5));
    await forgeSum(table.file);
    expect(await problems()).toMatch(/does not end/);
  });

  test("8. an empty data file", async () => {
    await change(table.file, () => Buffer.alloc(0));
    await forgeSum(table.file);
    expect(await problems()).toContain(table.file);
  });

  test("9. toc.dat cut", async () => {
    await change("toc.dat", (bytes) => bytes.subarray(0, bytes.length - 40));
    expect(await problems()).not.toBe("");
    await forgeSum("toc.dat");
    expect(await problems()).not.toBe("");
  });

  test("10. toc.dat with one byte changed in a name", async () => {
    await change("toc.dat", (bytes) =>
      Buffer.from(bytes.toString("latin1").replace("note text", "nota text"), "latin1"),
    );
    expect(await problems()).toMatch(/toc.dat has another sha256/);
  });

  test("11. two tables' data files swapped", async () => {
    const [first, second] = [manifest.tables[0]!.file, manifest.tables[1]!.file];
    const bytes = await readFile(file(first));
    await writeFile(file(first), await readFile(file(second)));
    await writeFile(file(second), bytes);
    expect(await problems()).toContain(first);
  });

  test("12. a table left out of the manifest's objects, or an entry left out of toc.dat", async () => {
    await forge((forged) => {
      forged.objects = forged.objects.filter((one) => one.file !== table.file);
    });
    expect(await problems()).toContain(table.file);
    await forge((forged) => {
      forged.tables = forged.tables.filter((one) => one.file !== table.file);
    });
    expect(await problems()).toContain(table.file);
    await forge((forged) => forged.entries.push({ key: "TABLE public gone", hash: "" }));
    expect(await problems()).toMatch(/catalog entries/);
  });

  test("13. a manifest that is no JSON, lacks a field or is another archive's is listed as damaged, never as whole, and says why", async () => {
    for (const text of ["{", "{}", JSON.stringify({ ...manifest, id: "another" })]) {
      await writeFile(file("manifest.json"), text);
      expect(await problems()).toMatch(/manifest/);
      expect(await listArchives(store)).toEqual([]);
      const { whole, damaged } = await surveyArchives(store);
      expect([whole, damaged.map(({ id }) => id)]).toEqual([[], [manifest.id]]);
      expect(damaged[0]!.why).toMatch(/manifest of the archive .* is damaged/);
      expect(await chooseArchive(store, "latest")).toBe(manifest.id);
    }
  });

  const largeObject = (oid: number) => manifest.largeObjects.find((one) => one.oid === oid)!.file;

  test("14. a large object cut, changed or gone", async () => {
    await change(largeObject(20001), (bytes) => bytes.subarray(0, bytes.length >> 1));
    await change(largeObject(20003), () => gzipSync("THREE"));
    await rm(file(largeObject(20002)));
    expect(await problems()).toContain(largeObject(20001));
    expect(await problems()).toContain(largeObject(20002));
    expect(await problems()).toMatch(/large object 20003\) holds another content/);
  });

  test("15. a large object changed in length, and the sums made right again", async () => {
    await change(largeObject(20003), () => gzipSync("four"));
    await forgeSum(largeObject(20003));
    expect(await problems()).toMatch(/large object 20003\) holds 4 bytes instead of 5/);
  });

  test("16. a large object taken out of the list, and the sums made right again", async () => {
    await change("blobs.toc", (bytes) => bytes.subarray(bytes.indexOf("\n") + 1));
    await forgeSum("blobs.toc");
    expect(await problems()).toMatch(/blobs\.toc does not name large object 20001/);
    await change("blobs.toc", () => Buffer.from("20001 ../../etc\n"));
    expect(await problems()).toMatch(/not a name within the archive/);
  });

  test("17. a large object left out of the manifest, or out of its objects", async () => {
    await forge((forged) => {
      forged.largeObjects = forged.largeObjects.filter(({ oid }) => oid !== 20001);
    });
    expect(await problems()).toMatch(/blobs\.toc names large object 20001/);
    await forge((forged) => {
      forged.objects = forged.objects.filter((one) => one.file !== largeObject(20001));
    });
    expect(await problems()).toMatch(/large object's file, but not among the objects/);
    await forge((forged) => {
      forged.largeObjects = [];
    });
    expect(await problems()).toMatch(/entry for large objects, the manifest has none/);
  });

  test("18. a row whose end marker stands in the middle, and the sums made right again", async () => {
    await rows((text) => text.replace("\n777\t", "\n\\.\n777\t"));
    await forgeSum(table.file);
    expect(await problems()).toMatch(/rows behind its end marker/);
  });

  test("19. a manifest that names a file twice, or one outside the archive", async () => {
    await forge((forged) => forged.objects.push(...Array.from({ length: 1000 }, () => forged.objects[0]!)));
    expect(await problems()).toBe(`${manifest.objects[0]!.file} is among the objects twice`);
    await forge((forged) => forged.objects.push({ ...forged.objects[0]!, file: "../../../etc/passwd" }));
    expect(await problems()).toMatch(/the manifest names the file .* not a name within the archive/);
  });

  test("without its manifest there is no archive", async () => {
    await rm(file("manifest.json"));
    expect(await listArchives(store)).toEqual([]);
    expect((await errorOf(readManifest(store, manifest.id))).code).toBe("unknown_archive");
    expect((await errorOf(verifyArchive(store, manifest.id))).code).toBe("unknown_archive");
  });

  test.each(["../../etc", "a/b", "", ".hidden"])("the id %j is refused", async (id) => {
    expect((await errorOf(readManifest(store, id))).code).toBe("unknown_archive");
  });
});
