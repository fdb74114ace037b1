import { readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { expireArchive, lookAtExpiry } from "../../shared/archive/retention/expire.ts";
import { applyPrune, planPrune, removalsOf } from "../../shared/archive/retention/prune.ts";
import { applyUnfinished, planUnfinished } from "../../shared/archive/retention/unfinished.ts";
import { verifyAudit } from "../../shared/audit.ts";
import { settingsSchema } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { BelayError } from "../../shared/errors.ts";
import { installBelay } from "../../shared/install.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { openStore } from "../../shared/store/open.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { chunksOf, codeOf } from "../store/contract.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { testBucket } from "../support/s3.ts";
import { keysIn, putArchive } from "./archives.ts";

const dayMs = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);
const daily = { reason: "nightly", withoutRecords: false };

/** A Belay without a database. */
function alone(store: ObjectStore): Belay {
  const belay = testBelay({ database: "postgres://nobody@127.0.0.1:1/none", store });
  return { ...belay, settings: settingsSchema.parse({ actor: "tester" }) };
}

describe.each([
  ["a folder", () => createFolderStore(temporaryFolder())],
  ["S3", () => (({ url, credentials }) => openStore(url, credentials))(testBucket())],
])("pruning %s", (_, open) => {
  test("is a dry run until it is applied; then what was planned is gone, and nothing else", async () => {
    const store = open();
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await putArchive(store, { at: daysAgo(n) }));
    const belay = alone(store);
    const before = await keysIn(store);
    const plan = await planPrune(belay, { keepLast: 2 });
    expect(removalsOf(plan)).toEqual(ids.slice(2).reverse());
    expect(await keysIn(store)).toEqual(before);
    const done = await applyPrune(belay, plan, { reason: "test", withoutRecords: true });
    expect(done.map(({ objects }) => objects)).toEqual([3, 3, 3, 3]);
    expect((await listArchives(store)).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(await keysIn(store)).toEqual(before.filter((key) => ids.slice(0, 2).some((id) => key.includes(id))));
  });

  test("without a database is refused unless that is said", async () => {
    const store = open();
    for (let n = 0; n < 3; n += 1) await putArchive(store, { at: daysAgo(n) });
    const belay = alone(store);
    const plan = await planPrune(belay, { keepLast: 1 });
    expect(plan.recordsKnown).toBe(false);
    expect(await codeOf(applyPrune(belay, plan, daily))).toBe("gate_failed");
    expect((await listArchives(store)).length).toBe(3);
  });

  test.each([1, 2, 3, 4, 5])(
    "that breaks off at its deletion %s is never half listed, and is finished by the next run",
    async (at) => {
      const store = open();
      const kept = await putArchive(store, { at: daysAgo(0) });
      const old = await putArchive(store, {
        at: daysAgo(40),
        files: ["toc.dat", "1.dat.gz", "2.dat.gz", "README.txt"],
      });
      let deletions = 0;
      const breaking: ObjectStore = {
        ...store,
        delete: async (key) => {
          deletions += 1;
          if (deletions >= at) throw new BelayError("store_failed", "500");
          await store.delete(key);
        },
      };
      const plan = await planPrune(alone(store), { keepLast: 1 });
      expect(
        await codeOf(
          applyPrune(alone(breaking), plan, { reason: "test", withoutRecords: true }).catch((error) => {
            throw new BelayError(error.code, error.message, { hint: "planted" });
          }),
        ),
      ).toBe("store_failed");
      const listed = (await listArchives(store)).map(({ id }) => id);
      if (at === 1) expect(listed).toEqual([kept, old]);
      else expect(listed).toEqual([kept]);
      const next = await planPrune(alone(store), { keepLast: 1 });
      expect(next.refusals).toEqual([]);
      expect([...next.broken, ...removalsOf(next)]).toEqual([old]);
      await applyPrune(alone(store), next, { reason: "test", withoutRecords: true });
      expect((await keysIn(store)).every((key) => key.includes(kept))).toBe(true);
    },
  );

  test("that deletes nothing although it says so is store_failed", async () => {
    const store = open();
    await putArchive(store, { at: daysAgo(0) });
    await putArchive(store, { at: daysAgo(40) });
    for (const part of ["", "/1.dat.gz"]) {
      const deaf: ObjectStore = {
        ...store,
        delete: async (key) => {
          if (!key.includes(part)) await store.delete(key);
        },
      };
      const plan = await planPrune(alone(deaf), { keepLast: 1 });
      const options = { reason: "test", withoutRecords: true };
      expect(await codeOf(applyPrune(alone(deaf), plan, options)), part).toBe("store_failed");
    }
  });

  test("touches no archive of which one object is locked", async () => {
    const store = open();
    await putArchive(store, { at: daysAgo(0) });
    const old = await putArchive(store, { at: daysAgo(40) });
    const older = await putArchive(store, { at: daysAgo(41) });
    const lock = { until: new Date(Date.now() + dayMs), legalHold: false };
    const locking = (part: string): ObjectStore => ({
      ...store,
      head: async (key) => {
        const found = await store.head(key);
        return found !== null && key.includes(part) ? { ...found, lock } : found;
      },
    });
    const before = await keysIn(store);
    const seen = await planPrune(alone(locking(`${old}/manifest.json`)), { keepLast: 1 });
    expect(removalsOf(seen)).toEqual([older]);
    const belay = alone(locking(`${older}/1.dat.gz`));
    const plan = await planPrune(belay, { keepLast: 1 });
    expect(removalsOf(plan)).toEqual([older, old]);
    const done = await applyPrune(belay, plan, { reason: "test", withoutRecords: true });
    expect(done[0]).toMatchObject({ id: older, objects: 0, locked: expect.stringContaining("locked until") });
    expect(done[1]).toMatchObject({ id: old, locked: null });
    expect(await keysIn(store)).toEqual(before.filter((key) => !key.includes(old)));
  });
});

describe("pruning with records", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase({ installed: true });
    const session = await openSession(database.url);
    await installBelay(session);
    await session.close();
  });
  afterAll(() => database.drop());

  const sql = async (text: string) => {
    const session = await openSession(database.url);
    try {
      return await session.sql.unsafe(text);
    } finally {
      await session.close();
    }
  };
  const drilled = (id: string, verdict: string, at: Date) =>
    sql(`insert into belay.drills (archive_id, verdict, actor, started_at, finished_at)
         values ('${id}', '${verdict}', 'anna', '${at.toISOString()}', '${at.toISOString()}')`);

  test("keeps the last archive whose drill passed, and puts each removal on record", async () => {
    const store = createFolderStore(temporaryFolder());
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await putArchive(store, { at: daysAgo(n) }));
    await drilled(ids[4]!, "pass", daysAgo(3));
    await drilled(ids[3]!, "pass", daysAgo(2));
    await drilled(ids[2]!, "backup_bad", daysAgo(1));
    const belay = testBelay({ database: database.url, store, actor: "anna" });
    const refused = await planPrune(belay, { keepLast: 1 });
    expect(refused.refusals[0]).toMatch(/newest drill found the archive/);
    expect(await codeOf(applyPrune(belay, refused, daily))).toBe("gate_failed");

    await drilled(ids[3]!, "environment_mismatch", daysAgo(0.5));
    const plan = await planPrune(belay, { keepLast: 1 });
    expect(plan.refusals).toEqual([]);
    expect(removalsOf(plan)).toEqual([ids[4], ids[1]]);
    await applyPrune(belay, plan, daily);
    const rows = await sql(
      `select actor, action, subject, details from belay.audit_log where action like 'archive.%' order by id`,
    );
    expect(rows.map(({ action, subject }) => [action, subject])).toEqual([
      ["archive.pruned.begun", ids[4]],
      ["archive.pruned", ids[4]],
      ["archive.pruned.begun", ids[1]],
      ["archive.pruned", ids[1]],
    ]);
    expect(rows[1]).toMatchObject({ actor: "anna", details: { reason: "nightly", objects: 3, store: store.url } });
    const session = await openSession(database.url);
    expect((await verifyAudit(session)).ok).toBe(true);
    await session.close();
    await sql("delete from belay.drills");
  });

  test("a rollback's archive goes only by name, with a reason, and not while the rollback can be undone", async () => {
    const store = createFolderStore(temporaryFolder());
    await putArchive(store, { at: daysAgo(0) });
    const id = await putArchive(store, { at: daysAgo(400), purpose: "rollback" });
    await sql(`insert into belay.rollbacks (migration_name, outcome, plan_hash, plan, reason, actor, archive_id)
               values ('20250101_x', 'committed', 'h', '{}', 'r', 'anna', '${id}')`);
    const belay = testBelay({ database: database.url, store, actor: "anna" });
    expect(removalsOf(await planPrune(belay, { keepLast: 1 }))).toEqual([]);
    const request = { id, reason: "kept long enough", giveUpUndo: false, withoutRecords: false };
    const plan = await lookAtExpiry(belay, request);
    expect(plan.blockers[0]).toMatch(/rollback of 20250101_x can still be undone/);
    expect(await codeOf(expireArchive(belay, plan, request))).toBe("gate_failed");
    expect((await listArchives(store)).length).toBe(2);
    await sql(`update belay.rollbacks set outcome = 'undone' where archive_id = '${id}'`);
    expect(await expireArchive(belay, await lookAtExpiry(belay, request), request)).toMatchObject({ id, objects: 3 });
    const [row] = await sql(`select details from belay.audit_log where action = 'archive.expired'`);
    expect(row).toMatchObject({ details: { reason: "kept long enough" } });
  });

  test("a database that does not answer stops it", async () => {
    const store = createFolderStore(temporaryFolder());
    await putArchive(store, { at: daysAgo(0) });
    const url = "postgres://nobody@127.0.0.1:1/none";
    expect(await codeOf(planPrune(testBelay({ database: url, store }), { keepLast: 1 }))).toBe("database_unreachable");
  });
});

describe("what was never finished", () => {
  /** Makes every file under a prefix as old as it says. */
  const age = async (store: ObjectStore, prefix: string, at: Date) => {
    const folder = fileURLToPath(store.url);
    for (const key of await keysIn(store, prefix)) utimesSync(join(folder, key), at, at);
  };
  const half = "dump-20260101t000000z-0000000a";
  const running = "dump-20260102t000000z-0000000b";

  async function openHalf() {
    const store = createFolderStore(temporaryFolder());
    const kept = await putArchive(store, { at: daysAgo(0) });
    await age(store, "", daysAgo(300));
    for (const id of [half, running])
      for (const file of ["1.dat.gz", "2.dat.gz"]) await store.write(`archives/${id}/${file}`, chunksOf("x"));
    await age(store, `archives/${half}/`, daysAgo(2));
    await age(store, `archives/${running}/1`, daysAgo(30));
    await store.write("archives/my own backup/toc.dat", chunksOf("PGDMP"));
    await age(store, "archives/my own backup/", daysAgo(900));
    return { store, kept };
  }

  test("goes once its newest object is old; whole archives, running dumps and foreign names stay", async () => {
    const { store, kept } = await openHalf();
    const belay = alone(store);
    const plan = await planUnfinished(belay, dayMs);
    expect(plan.archives.map(({ id, action }) => [id, action])).toEqual([
      [half, "remove"],
      [running, "keep"],
    ]);
    expect(plan.foreign).toEqual(["my own backup"]);
    expect((await keysIn(store)).length).toBe(3 + 4 + 1);
    const done = await applyUnfinished(belay, plan, "never finished");
    expect(done.archives).toMatchObject([{ id: half, objects: 2 }]);
    const left = await keysIn(store);
    expect(left.filter((key) => key.includes(half))).toEqual([]);
    expect(left.length).toBe(3 + 2 + 1);
    expect((await listArchives(store)).map(({ id }) => id)).toEqual([kept]);
  });

  test("stays when somebody went on with it between the plan and its execution", async () => {
    const { store } = await openHalf();
    const plan = await planUnfinished(alone(store), dayMs);
    await store.write(`archives/${half}/3.dat.gz`, chunksOf("x"));
    expect((await applyUnfinished(alone(store), plan, "test")).archives).toEqual([]);
    const then = daysAgo(2);
    await age(store, `archives/${half}/`, then);
    const again = await planUnfinished(alone(store), dayMs);
    expect(again.archives[0]).toMatchObject({ id: half, action: "remove" });
    await putArchive(store, { id: half, at: then });
    await age(store, `archives/${half}/`, then);
    expect((await applyUnfinished(alone(store), again, "test")).archives).toEqual([]);
    expect((await listArchives(store)).length).toBe(2);
  });

  test("counts an upload in it as life, and discards uploads that are silent", async () => {
    const { store } = await openHalf();
    const folder = fileURLToPath(store.url);
    const { writeFileSync } = await import("node:fs");
    const fresh = join(folder, `archives/${half}/.belay-unfinished-1111`);
    const old = join(folder, "archives/.belay-unfinished-2222");
    writeFileSync(fresh, "x".repeat(100));
    writeFileSync(old, "x".repeat(100));
    const foreign = [
      join(folder, "archives/my own backup/.belay-unfinished-3333"),
      join(folder, ".belay-unfinished-4444"),
    ];
    for (const file of foreign) {
      writeFileSync(file, "x");
      utimesSync(file, daysAgo(900), daysAgo(900));
    }
    utimesSync(old, daysAgo(3), daysAgo(3));
    const plan = await planUnfinished(alone(store), dayMs);
    expect(plan.archives.map(({ action }) => action)).toEqual(["keep", "keep"]);
    expect(plan.uploads.map(({ key, action }) => [key, action])).toEqual([
      ["archives/.belay-unfinished-2222", "remove"],
      [`archives/${half}/.belay-unfinished-1111`, "keep"],
    ]);
    expect((await applyUnfinished(alone(store), plan, "test")).uploads).toBe(1);
    expect(readFileSync(fresh, "utf8").length).toBe(100);
    expect(() => readFileSync(old)).toThrow(/ENOENT/);
    for (const file of foreign) expect(readFileSync(file, "utf8")).toBe("x");
  });

  test("is never what was written within the last hour", async () => {
    const { store } = await openHalf();
    expect(await codeOf(planUnfinished(alone(store), 60_000))).toBe("usage");
  });

  test("needs seven days of silence where the store cannot tell of uploads", async () => {
    const { store } = await openHalf();
    const silent: ObjectStore = {
      ...store,
      // biome-ignore lint/correctness/useYield: a store that cannot tell
      unfinished: async function* () {
        throw new BelayError("store_failed", "cannot list", { hint: "x", details: { cannotTell: true } });
      },
    };
    expect((await planUnfinished(alone(silent), dayMs)).archives.map(({ action }) => action)).toEqual(["keep", "keep"]);
    await age(store, `archives/${half}/`, daysAgo(8));
    const plan = await planUnfinished(alone(silent), dayMs);
    expect(plan.archives.map(({ action }) => action)).toEqual(["remove", "keep"]);
    expect(plan.uploadsUnknown).toBe("cannot list");
  });
});
