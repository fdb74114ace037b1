import { afterAll, beforeAll, expect, test } from "vitest";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let other: Session;
beforeAll(async () => {
  database = await createDatabase({
    sql: `create table items as select generate_series(1, 1000) as id; create table gone (id integer);
      create table log (what text); insert into log values ('made')`,
  });
  other = await openSession(database.url);
});
afterAll(async () => {
  await other?.close();
  await database?.drop();
});

/** Dumps while another session, which holds locks, commits after the dump has begun to wait for them. */
async function dumpDuring(change: string): Promise<Map<string, number>> {
  await other.run(`begin; ${change}`);
  const dumping = dumpDatabase(testBelay({ database: database.url }), { reason: "test" });
  const waiting = async () => {
    const [row] = await other.sql`select count(*)::int as n from pg_locks where not granted`;
    return row!.n > 0;
  };
  for (let tries = 0; tries < 150 && !(await waiting()); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  await other.run("commit");
  const { tables } = await dumping;
  return new Map(tables.map(({ table, rows }) => [table, rows]));
}

test("a table that is emptied while the dump waits for its lock: all tables are of after, or all of before", async () => {
  const rows = await dumpDuring("truncate items; insert into log values ('emptied')");
  expect([...rows]).toEqual(
    expect.arrayContaining([
      ["items", 0],
      ["log", 2],
    ]),
  );
});

test("a table that is dropped while the dump waits for its lock is left out, one that is made meanwhile is there", async () => {
  const rows = await dumpDuring("drop table gone; create table late as select 1 as id");
  expect([...rows.keys()].sort()).toEqual(["items", "late", "log"]);
});
