import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { Settings } from "../../shared/config.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import type { Observe } from "../../shared/rollback/execute/types.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const owners: Pair = {
  name: "20250101000000_owners",
  up: `create table owners (id serial primary key); insert into owners default values;
       create table measured (id serial, at int) partition by range (at);
       create table measured_1 partition of measured for values from (0) to (10);`,
  down: "",
};
const notes: Pair = {
  name: "20250102000000_notes",
  up: `create table notes (id serial primary key, owner int references owners, body text);
       insert into notes (owner, body) select 1, md5(n::text) from generate_series(1, 100) n;
       create table measured_2 partition of measured for values from (10) to (20); insert into measured (at) values (15), (16);`,
  down: "drop table notes; drop table measured_2;",
};
const limits = { lockTimeoutMs: 300, lockAttempts: 5, lockWaitMs: 30_000 } satisfies Partial<Settings>;

async function prepared(...pairs: Pair[]) {
  const database = await createDatabase({ installed: true });
  await apply(database.url, ...(pairs.length > 0 ? pairs : [owners, notes]));
  return database;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A transaction that is already longer than the lock timeout. */
async function longTransaction(url: string, sql: string): Promise<Session> {
  const other = await openSession(url, { applicationName: "in the way" });
  await other.run("begin");
  await other.run(sql);
  await sleep(limits.lockTimeoutMs + 100);
  return other;
}

const ours =
  "select pid from pg_stat_activity where application_name = 'belay rollback' and datname = current_database()";

describe("a long transaction in the way", () => {
  test.each([
    { title: "a reader", sql: "select * from notes" },
    { title: "a writer", sql: "update notes set body = '' where id = 1" },
    { title: "what vacuums", sql: "lock table notes in share update exclusive mode" },
    { title: "a writer of the foreign-key parent", sql: "insert into owners default values" },
    { title: "a reader of a partition that stays", sql: "select * from measured_1; select * from measured" },
  ])("$title: is waited for outside the queue, and writers go on", async ({ sql }) => {
    const database = await prepared();
    const other = await longTransaction(database.url, sql);
    const watcher = await openSession(database.url);
    const said: string[] = [];
    const belay = testBelay({
      database: database.url,
      settings: limits,
      report: ({ message }) => said.push(message),
    });
    const rollback = executeRollback(belay, { migration: notes.name, reason: "test" });
    rollback.catch(() => {});
    await expect.poll(() => said.join(), { timeout: 20_000 }).toContain(`pid ${other.pid}`);
    let written = 0;
    for (let look = 0; look < 10; look++) {
      // Neither held nor waited for: nobody stands behind us.
      expect(
        await watcher.run(`select mode, granted from pg_locks where pid in (${ours}) and relation in
          ('notes'::regclass, 'owners'::regclass, 'measured_2'::regclass) and mode <> 'AccessShareLock'`),
      ).toEqual([]);
      if (!sql.includes("lock table"))
        await watcher.run(
          "set lock_timeout = '5s'; insert into notes (owner) values (1); insert into owners default values",
        );
      written++;
      await sleep(30);
    }
    await other.run("commit");
    const report = await rollback;
    expect(report).toMatchObject({ outcome: "committed", attempts: 1 });
    expect(written).toBe(10);
    await Promise.all([other.close(), watcher.close()]);
    await database.drop();
  });

  test("beyond the limit in time: lock_not_obtained with pid, role, state and age of its query, and nobody was kept waiting", async () => {
    const database = await prepared();
    const before = await photograph(database.url);
    const other = await longTransaction(database.url, "update notes set body = '' where id = 1");
    const belay = testBelay({ database: database.url, settings: { ...limits, lockWaitMs: 500 } });
    const error = await executeRollback(belay, { migration: notes.name, reason: "test" }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: "lock_not_obtained",
      details: { pids: [other.pid], attempts: 0, blockers: [{ role: "postgres", state: "idle in transaction" }] },
    });
    expect(error.message).toMatch(
      /role postgres, idle in transaction, open \d+ s, query begun \d+ s ago: update notes/,
    );
    expect(error.details.waitedMs).toBeGreaterThanOrEqual(500);
    await other.run("rollback");
    await other.close();
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("that comes while the archive is written: readers go on between two attempts, and the archive is kept", async () => {
    const database = await prepared();
    const belay = testBelay({ database: database.url, settings: { ...limits, lockAttempts: 30 } });
    let other: Session | undefined;
    let read = 0;
    const report = await executeRollback(belay, { migration: notes.name, reason: "test" }, async (point) => {
      if (point !== "archived") return;
      other = await openSession(database.url);
      await other.run("begin; select * from notes");
      setTimeout(async () => {
        await run(database.url, "set lock_timeout = '5s'; select * from notes").then(() => read++);
        await other!.run("commit");
        await other!.close();
      }, 800);
    });
    expect(report.outcome).toBe("committed");
    expect(read).toBe(1);
    expect((await run(database.url, "select count(*)::int as archives from belay.archives"))[0]).toEqual({
      archives: 1,
    });
    await database.drop();
  });
});

test("a session that reads what goes and then waits to write it: all is let go and begun anew, and its row is in the archive", async () => {
  const database = await prepared();
  const belay = testBelay({ database: database.url, settings: limits });
  let other: Session | undefined;
  let wrote: Promise<unknown> = Promise.resolve();
  const report = await executeRollback(belay, { migration: notes.name, reason: "test" }, async (point) => {
    if (point !== "locked" || other !== undefined) return;
    other = await openSession(database.url);
    await other.run("begin; select * from notes");
    wrote = other.run("insert into notes (body) values ('late'); commit").then(() => "written");
  });
  expect(await wrote).toBe("written");
  expect(report.tables.find(({ table }) => table === "notes")?.rows).toBe(101);
  await other!.close();
  await database.drop();
});

test("a lock timeout in the middle of a set: what was done of it is put back, and all of it is tried again", async () => {
  const first: Pair = {
    name: "20250103000000_view",
    up: "create view seen as select id from owners",
    down: "drop view seen;",
  };
  const second: Pair = {
    name: "20250104000000_last",
    up: "create table last (id int); insert into last values (1)",
    down: "drop table last;",
  };
  const database = await prepared(owners, first, second);
  let other: Session | undefined;
  const between: unknown[] = [];
  const belay = testBelay({
    database: database.url,
    settings: { ...limits, lockAttempts: 30 },
    report: ({ message }) => {
      if (!message.startsWith("locks not obtained in attempt 1 ")) return;
      between.push(run(database.url, "select count(*)::int as rows from last"));
      setTimeout(() => other!.run("commit").then(() => other!.close()), 100);
    },
  });
  const observe: Observe = async (point) => {
    if (point !== "archived") return;
    other = await openSession(database.url);
    await other.run("begin; select * from seen");
  };
  const report = await executeRollback(belay, { migrations: [first.name, second.name], reason: "test" }, observe);
  expect(report.attempts).toBeGreaterThan(1);
  expect(await Promise.all(between as Promise<unknown>[])).toEqual([[{ rows: 1 }]]);
  expect(await run(database.url, "select to_regclass('seen') as view, to_regclass('last') as made")).toEqual([
    { view: null, made: null },
  ]);
  await database.drop();
});

test("a rollback that waits for a lock and whose process is killed: it stands in nobody's way, and the next one succeeds", {
  timeout: 60_000,
}, async () => {
  const database = await prepared();
  const other = await longTransaction(database.url, "update notes set body = '' where id = 1");
  const folder = temporaryFolder();
  const script = new URL("./kill-child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, database.url, folder, notes.name, "never"], { stdio: "inherit" });
  const exited = once(child, "exit");
  const waiting = async () => (await run(database.url, `${ours} and state = 'idle in transaction'`)).length;
  await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
  child.kill("SIGKILL");
  await exited;
  await run(database.url, "set lock_timeout = '5s'; insert into notes (body) values ('after')");
  await expect.poll(waiting, { timeout: 20_000 }).toBe(0);
  await other.run("commit");
  await other.close();
  const report = await executeRollback(testBelay({ database: database.url }), {
    migration: notes.name,
    reason: "again",
  });
  expect(report.tables.find(({ table }) => table === "notes")?.rows).toBe(101);
  expect(await run(database.url, "select outcome from belay.rollbacks order by started_at")).toEqual([
    { outcome: "failed" },
    { outcome: "committed" },
  ]);
  await database.drop();
});

test("the report's times: the SQL's locks until COMMIT was answered, and the tables' from when they were asked for", async () => {
  const database = await prepared();
  const pauses: Partial<Record<string, number>> = { archived: 300, guarded: 200 };
  const belay = testBelay({ database: database.url });
  const report = await executeRollback(
    belay,
    { migration: notes.name, reason: "test" },
    (point) => sleep(pauses[point] ?? 0) as Promise<void>,
  );
  expect(report.criticalSectionMs).toBeGreaterThanOrEqual(200);
  expect(report.lockedMs).toBeGreaterThanOrEqual(report.criticalSectionMs! + 300);
  const [stored] = await run(
    database.url,
    "select (report->>'lockedMs')::int as locked, (report->>'criticalSectionMs')::int as section from belay.rollbacks",
  );
  expect(stored).toEqual({ locked: report.lockedMs, section: report.criticalSectionMs });
  await database.drop();
});

test("a table held exclusively elsewhere: reading the catalog ahead does not wait for ever, and the rollback goes on once it is free", async () => {
  const database = await prepared();
  await run(database.url, "create table elsewhere (id int); create view beyond as select id from elsewhere");
  const other = await longTransaction(database.url, "lock table elsewhere in access exclusive mode");
  const belay = testBelay({ database: database.url, settings: limits });
  const rollback = executeRollback(belay, { migration: notes.name, reason: "test" }, async (point) => {
    if (point === "ready") setTimeout(() => other.run("commit").then(() => other.close()), limits.lockTimeoutMs / 2);
  });
  expect((await rollback).outcome).toBe("committed");
  await database.drop();
});
