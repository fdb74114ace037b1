import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { BelayError } from "../../shared/errors.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { endBlocker } from "../../shared/rollback/end-blocker.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import type { PlanningBlocked } from "../../shared/rollback/plan/planning-blocked.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { apply, run } from "./helpers.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase({ installed: true });
  await apply(database.url, {
    name: "01_notes",
    up: "create table notes (id int primary key)",
    down: "drop table notes;",
  });
});
afterAll(() => database.drop());

const planned = (url = database.url) => planRollback(testBelay({ database: url }), { migration: "01_notes" });

/** A session that holds a lock on the table in an open transaction. */
async function holder(url = database.url): Promise<Session> {
  const session = await openSession(url, { applicationName: "shop api" });
  onTestFinished(() => session.destroy());
  await session.run("begin");
  await session.run("select 'secret', count(*) from notes");
  return session;
}

const audited = () =>
  run(
    database.url,
    "select action, actor, subject, details ->> 'pid' as pid from belay.audit_log where action like 'blocker.%' order by id desc limit 1",
  );

describe("a session in the way of a plan", () => {
  test("is named with role, program, state, ages and what it does, without values", async () => {
    const session = await holder();
    const { blockers } = await planned();
    expect(blockers).toMatchObject([
      {
        kind: "session",
        pid: session.pid,
        gid: null,
        application: "shop api",
        state: "idle in transaction",
        ageSeconds: expect.any(Number),
        queryAgeSeconds: expect.any(Number),
        mode: "ACCESS SHARE",
        granted: true,
        relation: "public.notes",
      },
    ]);
    expect(JSON.stringify(blockers)).not.toContain("secret");
  });

  test("that only waits for its lock comes before us too", async () => {
    const first = await holder();
    await first.run("insert into notes values (1)");
    const second = await openSession(database.url);
    onTestFinished(() => second.destroy());
    await second.run("begin");
    const waiting = second.run("lock table notes in share row exclusive mode").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { blockers } = await planned();
    expect(blockers.find(({ pid }) => pid === second.pid)).toMatchObject({
      granted: false,
      mode: "SHARE ROW EXCLUSIVE",
    });
    expect(blockers.find(({ pid }) => pid === first.pid)).toMatchObject({ granted: true });
    await first.run("rollback");
    await waiting;
  });

  test("is terminated, on record, and gone", async () => {
    const session = await holder();
    const ended = await endBlocker(testBelay({ database: database.url }), {
      plan: await planned(),
      pid: session.pid,
      how: "terminate",
    });
    expect(ended).toMatchObject({ pid: session.pid, how: "terminate", now: "gone" });
    expect(await audited()).toEqual([
      { action: "blocker.terminate", actor: "tester", subject: "01_notes", pid: String(session.pid) },
    ]);
    expect((await planned()).blockers).toEqual([]);
  });

  test("is cancelled: what it ran ends; an open transaction keeps its locks, and that is said", async () => {
    const running = await openSession(database.url);
    onTestFinished(() => running.destroy());
    const long = running
      .run("insert into notes values (2); select pg_sleep(60)")
      .catch((error: Error) => error.message);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const belay = testBelay({ database: database.url });
    const ended = await endBlocker(belay, { plan: await planned(), pid: running.pid, how: "cancel" });
    expect(ended).toMatchObject({ now: "free" });
    expect(await long).toMatch(/canceling statement due to user request/);
    const idle = await holder();
    expect(await endBlocker(belay, { plan: await planned(), pid: idle.pid, how: "cancel" })).toMatchObject({
      now: "blocking",
    });
  });

  test("that keeps even the plan from being made is named, and can be ended all the same", async () => {
    const other = await openSession(database.url);
    onTestFinished(() => other.destroy());
    await other.run("begin; lock table notes in access exclusive mode");
    const belay = testBelay({ database: database.url, settings: { lockTimeoutMs: 200 } });
    const error = await planRollback(belay, { migration: "01_notes" }).catch((caught: BelayError) => caught);
    expect(error).toMatchObject({
      code: "lock_not_obtained",
      message: expect.stringContaining(`pid ${other.pid}`),
      hint: expect.stringContaining(`--terminate ${other.pid}`),
    });
    const { blocked } = (error as BelayError).details as { blocked: PlanningBlocked };
    expect(await endBlocker(belay, { plan: blocked, pid: other.pid, how: "terminate" })).toMatchObject({ now: "gone" });
    expect((await planned()).blockers).toEqual([]);
  });

  test("is left alone when it is not in the way, or is our own", async () => {
    const other = await openSession(database.url);
    onTestFinished(() => other.close());
    const belay = testBelay({ database: database.url });
    const plan = await planned();
    await expect(endBlocker(belay, { plan, pid: other.pid, how: "terminate" })).rejects.toMatchObject({
      code: "usage",
      hint: "Nobody is in the way now.",
    });
    const own = { ...belay, openSession: async () => other };
    await other.run("begin; lock table notes in share row exclusive mode");
    await expect(endBlocker(own, { plan, pid: other.pid, how: "terminate" })).rejects.toMatchObject({ code: "usage" });
  });

  test("of a superuser is not for a role without the right: the right that is missing is named, and nothing is on record", async () => {
    const role = `signaller_${database.name}`;
    await run(
      database.url,
      `create role ${role} login password 'x'; grant usage on schema belay, public to ${role}; grant all on all tables in schema belay, public to ${role};
       grant execute on all functions in schema belay to ${role}`,
    );
    onTestFinished(() => run(database.url, `drop owned by ${role}; drop role ${role}`).then(() => {}));
    const url = new URL(database.url);
    url.username = role;
    url.password = "x";
    const session = await holder();
    const plan = await planned();
    const before = await audited();
    await expect(
      endBlocker(testBelay({ database: url.href }), { plan, pid: session.pid, how: "terminate" }),
    ).rejects.toMatchObject({
      code: "forbidden",
      message: expect.stringContaining(`role ${role} may not terminate pid ${session.pid}`),
      hint: expect.stringMatching(/superuser/),
    });
    expect(await audited()).toEqual(before);
    expect(session.alive).toBe(true);
  });
});
