import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { openStore } from "../../shared/store/open.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { type Faults, faultyStore } from "../support/faults.ts";
import { createDatabase } from "../support/postgres.ts";
import { testBucket } from "../support/s3.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key, body text); insert into notes select n, md5(n::text) from generate_series(1, 5000) n;",
  down: "drop table notes;",
};

async function records(url: string) {
  return run(url, "select outcome, error_code from belay.rollbacks order by started_at");
}

describe("a store that fails", () => {
  const faults: readonly { title: string; faults: Faults; code: string }[] = [
    { title: "answers 500 in the middle of the upload", faults: { failWrite: ".dat.gz" }, code: "store_failed" },
    { title: "answers 500 to the manifest", faults: { failWrite: "manifest.json" }, code: "store_failed" },
    { title: "reads back less than was written", faults: { cutRead: ".dat.gz" }, code: "archive_unverified" },
    { title: "reads back a flipped bit", faults: { flipRead: ".dat.gz" }, code: "archive_unverified" },
  ];
  test.each(faults)(
    "$title: nothing changed, the failure is on record, no archive is listed",
    async ({ faults, code }) => {
      const database = await createDatabase({ installed: true });
      await apply(database.url, pair);
      const before = await photograph(database.url);
      const store = createFolderStore(temporaryFolder());
      const broken = testBelay({ database: database.url, store: faultyStore(store, faults) });
      await expect(executeRollback(broken, { migration: pair.name, reason: "test" })).rejects.toMatchObject({ code });
      expect(await photograph(database.url)).toEqual(before);
      expect(await records(database.url)).toEqual([{ outcome: "failed", error_code: code }]);
      expect(await listArchives(store)).toEqual([]);

      const report = await executeRollback(testBelay({ database: database.url, store }), {
        migration: pair.name,
        reason: "again",
      });
      expect(report.outcome).toBe("committed");
      await database.drop();
    },
  );

  test("gives its manifest with a flipped bit once it was read back: on record is the one that was written, and undo takes it", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const before = await photograph(database.url);
    const store = createFolderStore(temporaryFolder());
    const lying = faultyStore(store, { flipRead: "manifest.json" });
    let reads = 0;
    const turning: ObjectStore = {
      ...store,
      url: store.url,
      read: (key, range) => (key.endsWith("manifest.json") && ++reads > 1 ? lying : store).read(key, range),
    };
    await executeRollback(testBelay({ database: database.url, store: turning }), {
      migration: pair.name,
      reason: "test",
    });
    await undoRollback(testBelay({ database: database.url, store }), { migration: pair.name, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("gives back a flipped bit at undo: refused, nothing changed, and the whole archive undoes later", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const before = await photograph(database.url);
    const store = createFolderStore(temporaryFolder());
    const belay = testBelay({ database: database.url, store });
    const { rollbackId } = await executeRollback(belay, { migration: pair.name, reason: "test" });
    const broken = testBelay({ database: database.url, store: faultyStore(store, { flipRead: ".dat.gz" }) });
    await expect(undoRollback(broken, { rollbackId, reason: "test" })).rejects.toMatchObject({
      code: "archive_invalid",
    });
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await expect(undoRollback(belay, { rollbackId, reason: "test" })).rejects.toMatchObject({ code: "undo_conflict" });
    await database.drop();
  });
});

describe("a store over S3", () => {
  test("holds the archive, and undo reads it back", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const before = await photograph(database.url);
    const bucket = testBucket();
    const belay = testBelay({ database: database.url, store: await openStore(bucket.url, bucket.credentials) });
    const report = await executeRollback(belay, { migration: pair.name, reason: "test" });
    expect((await listArchives(belay.store)).map(({ id, rows }) => [id, rows])).toEqual([[report.archiveId, 5000]]);
    await undoRollback(belay, { migration: pair.name, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });
});

describe("kill -9 in the middle of a rollback", () => {
  const points = [
    { title: "during the upload", point: "upload", archives: 0 },
    { title: "after the archive, before the SQL", point: "archived", archives: 1 },
    { title: "after the SQL, before COMMIT", point: "sql", archives: 1 },
  ];
  test.each(points)(
    "$title: the database is as before, no half archive is listed, a second try succeeds",
    { timeout: 60_000 },
    async ({ point, archives }) => {
      const database = await createDatabase({ installed: true });
      await apply(database.url, pair);
      const before = await photograph(database.url);
      const folder = temporaryFolder();
      const script = new URL("./kill-child.ts", import.meta.url).pathname;
      const child = spawn(process.execPath, [script, database.url, folder, pair.name, point], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout!, "data");
      child.kill("SIGKILL");
      await once(child, "exit");

      expect(await photograph(database.url)).toEqual(before);
      expect(await listArchives(createFolderStore(folder))).toHaveLength(archives);
      const belay = testBelay({ database: database.url, store: createFolderStore(folder) });
      const report = await executeRollback(belay, { migration: pair.name, reason: "second try" });
      expect(report.outcome).toBe("committed");
      expect(await records(database.url)).toEqual([
        { outcome: "failed", error_code: "connection_lost" },
        { outcome: "committed", error_code: null },
      ]);
      await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
      expect(await photograph(database.url)).toEqual(before);
      await database.drop();
    },
  );
});
