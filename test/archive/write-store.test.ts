import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { BelayError } from "../../shared/errors.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { errorOf, keysIn } from "./support.ts";

const schema = `
  create table items (id integer primary key, note text);
  insert into items select i, md5(i::text) from generate_series(1, 30000) i;
  create table empty (id integer);
  select lo_from_bytea(4711, convert_to(repeat('large object ', 100000), 'utf8'));
  select lo_from_bytea(4712, '');`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase({ sql: schema });
});
afterAll(async () => {
  await database?.drop();
});

type Change = (honest: ObjectStore) => Partial<ObjectStore>;

/** Dumps into a store that differs in some acts from an honest one. */
function dumpInto(change: Change) {
  const { store: honest } = testBelay({ database: database.url });
  const store = { ...honest, ...change(honest) };
  return { honest, dumping: dumpDatabase(testBelay({ database: database.url, store }), { reason: "test" }) };
}

const failed = (message: string) => new BelayError("store_failed", message, { hint: "Wait." });
const kinds = [
  "toc.dat",
  "README.txt",
  "blobs.toc",
  "blob_4711.dat.gz",
  "blob_4712.dat.gz",
  ".dat.gz",
  "manifest.json",
];

async function* changed(chunks: AsyncIterable<Uint8Array>, how: (all: Buffer) => Uint8Array) {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  yield how(Buffer.concat(all));
}

describe.each(kinds)("a store that lies about %s: archive_unverified, nothing left", (kind) => {
  test.each<readonly [string, (all: Buffer) => Uint8Array]>([
    ["it keeps all but the last byte", (all) => all.subarray(0, -1)],
    ["it keeps other bytes", (all) => Buffer.from(all.map((byte, at) => (at === all.length >> 1 ? byte ^ 1 : byte)))],
    ["it keeps more", (all) => Buffer.concat([all, Buffer.from("x")])],
    ["it keeps an empty object", () => new Uint8Array(0)],
  ])("%s", async (_, how) => {
    const { honest, dumping } = dumpInto((honest) => ({
      write: (key, chunks, options) => honest.write(key, key.endsWith(kind) ? changed(chunks, how) : chunks, options),
    }));
    expect(await errorOf(dumping)).toMatchObject({ code: "archive_unverified" });
    expect(await keysIn(honest)).toEqual([]);
  });

  test("it keeps nothing", async () => {
    const { honest, dumping } = dumpInto((honest) => ({
      write: async (key, chunks, options) => {
        if (!key.endsWith(kind)) return await honest.write(key, chunks, options);
        let bytes = 0;
        for await (const chunk of chunks) bytes += chunk.length;
        return bytes;
      },
      // Only what the lie keeps from being there can be synced.
      sync: async () => {},
    }));
    expect(await errorOf(dumping)).toMatchObject({ code: "archive_unverified" });
    expect(await keysIn(honest)).toEqual([]);
  });
});

describe("an archive that fails at its end", () => {
  test("the store cannot make the objects durable: its error, nothing left", async () => {
    const { honest, dumping } = dumpInto(() => ({ sync: () => Promise.reject(failed("the disk is gone")) }));
    expect(await errorOf(dumping)).toMatchObject({ code: "store_failed" });
    expect(await keysIn(honest)).toEqual([]);
  });

  test("the objects go after the manifest is gone; where it stays, they stay", async () => {
    const isManifest = (key: string) => key.endsWith("manifest.json");
    const unread: Change = (honest) => ({
      read: (key, range) => {
        if (isManifest(key)) throw failed("the network is gone");
        return honest.read(key, range);
      },
    });
    const deleted: string[] = [];
    const { dumping } = dumpInto((honest) => ({
      ...unread(honest),
      delete: async (key) => {
        deleted.push(key);
        await honest.delete(key);
      },
    }));
    expect(await errorOf(dumping)).toMatchObject({ code: "store_failed" });
    expect(deleted[0]).toMatch(/manifest\.json$/);
    const { honest, dumping: staying } = dumpInto((honest) => ({
      ...unread(honest),
      delete: (key) => (isManifest(key) ? Promise.reject(failed("locked")) : honest.delete(key)),
    }));
    expect(await errorOf(staying)).toMatchObject({ code: "store_failed" });
    const [listed] = await listArchives(honest);
    expect((await verifyArchive(honest, listed!.id)).problems).toEqual([]);
  });

  test("an object of somebody else under the same name is not deleted", async () => {
    const deleted: string[] = [];
    const { dumping } = dumpInto((honest) => ({
      write: (key, chunks, options) =>
        key.endsWith("README.txt")
          ? Promise.reject(new BelayError("store_exists", `${key} is there`, { hint: "Use another id." }))
          : honest.write(key, chunks, options),
      delete: async (key) => {
        deleted.push(key.slice(key.lastIndexOf("/") + 1));
        await honest.delete(key);
      },
    }));
    expect(await errorOf(dumping)).toMatchObject({ code: "store_exists" });
    expect(deleted).toContain("toc.dat");
    expect(deleted).not.toContain("README.txt");
  });
});

test("while a store is slow, few uploads of large tables wait for it: each holds parts in memory", async () => {
  const tables = Array.from(
    { length: 6 },
    (_, n) => `create table t${n} as select repeat(md5(i::text), 30) as note
    from generate_series(1, 5000) i;`,
  );
  const large = await createDatabase({ sql: tables.join("") });
  const { store: honest } = testBelay({ database: large.url });
  let waiting = 0;
  let most = 0;
  const store: ObjectStore = {
    ...honest,
    write: async (key, chunks, options) => {
      waiting += 1;
      most = Math.max(most, waiting);
      const bytes = await honest.write(key, chunks, options);
      await new Promise((resolve) => setTimeout(resolve, 300));
      waiting -= 1;
      return bytes;
    },
  };
  await dumpDatabase(testBelay({ database: large.url, store }), { reason: "slow store", readers: 2, gzipLevel: 1 });
  await large.drop();
  expect(most).toBeLessThanOrEqual(3);
});
