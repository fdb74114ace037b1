import { describe, expect, test } from "vitest";
import { openSession } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key, body text); insert into notes select n, md5(n::text) from generate_series(1, 100) n;",
  down: "drop table notes;",
};
const impatient = { lockTimeoutMs: 200, lockAttempts: 2 };

describe("a table that someone else holds", () => {
  test.each([
    { title: "a writer", sql: "update notes set body = '' where id = 1" },
    { title: "a reader, whom only the DROP has to wait for", sql: "select * from notes" },
  ])("$title: lock_not_obtained names its pid, and nothing changed", async ({ sql }) => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const before = await photograph(database.url);
    const other = await openSession(database.url);
    await other.run(`begin; ${sql}`);
    const belay = testBelay({ database: database.url, settings: impatient });
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "lock_not_obtained",
      message: expect.stringContaining(`pid ${other.pid}`),
    });
    await other.run("rollback");
    await other.close();
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("a prepared transaction: it is named with what settles it, nothing changed, and once settled the same command works", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const gid = `transfer of ${database.name}`;
    await run(database.url, `begin; update notes set body = 'kept' where id = 1; prepare transaction '${gid}'`);
    const belay = testBelay({ database: database.url, settings: impatient });
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "lock_not_obtained",
      message: expect.stringContaining(`prepared transaction ${gid}`),
      hint: expect.stringContaining(`rollback prepared '${gid}'`),
    });
    expect(await run(database.url, "select gid from pg_prepared_xacts where database = current_database()")).toEqual([
      { gid },
    ]);
    await run(database.url, `commit prepared '${gid}'`);
    const before = await photograph(database.url);
    await executeRollback(belay, { migration: pair.name, reason: "test" });
    await undoRollback(belay, { migration: pair.name, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("that lets go in time: the SQL is tried again in its savepoint, with the archive kept", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const other = await openSession(database.url);
    await other.run("begin; select * from notes");
    setTimeout(() => other.run("rollback").then(() => other.close()), 1_500);
    const belay = testBelay({ database: database.url, settings: { lockTimeoutMs: 300, lockAttempts: 20 } });
    const report = await executeRollback(belay, { migration: pair.name, reason: "test" });
    expect(report.outcome).toBe("committed");
    await database.drop();
  });

  test("readers go on while the archive is written, writers wait", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const belay = testBelay({ database: database.url });
    let seen: unknown;
    await executeRollback(belay, { migration: pair.name, reason: "test" }, async (point) => {
      if (point !== "locked") return;
      const rows = await run(database.url, "select count(*)::int as rows from notes");
      const write = await run(database.url, "set lock_timeout = '100ms'; delete from notes").catch(
        (error) => error.code,
      );
      seen = { rows, write };
    });
    expect(seen).toEqual({ rows: [{ rows: 100 }], write: "55P03" });
    await database.drop();
  });

  test("a second rollback meanwhile is refused", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const belay = testBelay({ database: database.url, settings: impatient });
    let second: unknown;
    await executeRollback(belay, { migration: pair.name, reason: "first" }, async (point) => {
      if (point === "locked")
        second = await executeRollback(belay, { migration: pair.name, reason: "second" }).catch((error) => error.code);
    });
    expect(second).toBe("rollback_in_progress");
    await database.drop();
  });
});

describe("a rollback that may not run", () => {
  test("another plan than the approved one: plan_changed, on record", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const belay = testBelay({ database: database.url });
    const { hash } = await planRollback(belay, { migration: pair.name });
    await run(database.url, "create view newer as select * from notes");
    await expect(
      executeRollback(belay, { migration: pair.name, planHash: hash, reason: "test" }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/plan_changed/) });
    expect(await run(database.url, "select outcome, error_code from belay.rollbacks")).toEqual([
      { outcome: "failed", error_code: "plan_changed" },
    ]);
    await database.drop();
  });

  test("already rolled back: the gate is named", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const belay = testBelay({ database: database.url });
    await executeRollback(belay, { migration: pair.name, reason: "test" });
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "gate_failed",
      message: expect.stringContaining("status"),
    });
    await database.drop();
  });

  test("more than fits where it runs: needs_worker, before any lock", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, pair);
    const belay = testBelay({ database: database.url, settings: { archiveBudgetBytes: 1_000 } });
    const other = await openSession(database.url);
    await other.run("begin; lock table notes in share row exclusive mode");
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "needs_worker",
    });
    await other.close();
    await database.drop();
  });

  test("SQL that fails: the message and the line, nothing changed", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, { ...pair, down: "drop table notes;\ndo $$ begin perform 1 / 0; end $$;" });
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url });
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "sql_failed",
      message: expect.stringContaining("division by zero"),
    });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("longer than the critical section allows: given up, nothing changed", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, { ...pair, down: "do $$ begin perform pg_sleep(30); end $$; drop table notes;" });
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url, settings: { criticalSectionMs: 1_000 } });
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "lock_not_obtained",
      message: expect.stringContaining("1000 ms"),
    });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("a VERIFY assertion that is not true: end_state_differs, nothing changed", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, { ...pair, verify: "select to_regclass('notes') is not null;" });
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url });
    await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "end_state_differs",
    });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("a role that row-level security hides rows from: row_security, nothing changed", async () => {
    const database = await createDatabase({ installed: true });
    const role = `plain_${database.name}`;
    await apply(database.url, {
      ...pair,
      up: `${pair.up}
        create role ${role} login password 'secret';
        alter table notes owner to ${role}; alter table notes enable row level security; alter table notes force row level security;
        create policy few on notes using (id < 10);`,
    });
    await run(
      database.url,
      `grant usage on schema belay, public to ${role}; grant create on schema public to ${role};
       grant all on all tables in schema belay to ${role}; grant execute on all functions in schema belay to ${role};
       alter role ${role} set search_path = public;`,
    );
    await run(
      database.url,
      `do $$ declare t record; begin for t in select tablename from pg_tables where schemaname = 'belay' loop
         execute format('create policy plain on belay.%I to ${role} using (true) with check (true)', t.tablename); end loop; end $$`,
    );
    const before = await photograph(database.url);
    const url = new URL(database.url);
    url.username = role;
    url.password = "secret";
    const failure = await executeRollback(testBelay({ database: url.href }), {
      migration: pair.name,
      reason: "test",
    }).catch((error) => error);
    expect(failure.message).toMatch(/notes/);
    expect(`${failure.code} ${failure.message}`).toMatch(/row.level.security|row_security/i);
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });
});
