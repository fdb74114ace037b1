import { afterAll, beforeAll, expect, it } from "vitest";
import { readCatalog } from "../../shared/catalog/read.ts";
import { watchCatalog } from "../../shared/catalog/watch.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await createDatabase({ sql: "create table orders (id int primary key, note text)" });
  session = await openSession(database.url, { prepare: true });
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

it("a session that keeps queries prepared reads on after SQL that drops them", async () => {
  const watch = watchCatalog(session);
  await watch.read();
  const [before] = await session.sql`select count(*)::int as number from pg_prepared_statements`;
  expect(before!.number).toBeGreaterThan(5);
  await session.run("begin; alter table orders add column paid boolean");
  await session.run("do $$ begin execute 'DEALLOCATE ALL'; end $$");
  const told = await watch.read();
  expect(told.entries.find(({ key }) => key === "TABLE public orders")?.create).toContain("paid boolean");
  expect(told).toEqual(await readCatalog(session));
  await session.run("rollback");
  await session.run("discard all");
  expect(await watch.read()).toEqual(await readCatalog(session));
});

it("a watch leaves the session's settings as they were, inside a transaction and outside", async () => {
  const watch = watchCatalog(session);
  const path = async () => (await session.sql`select current_setting('search_path') as path`)[0]!.path;
  await session.run("set search_path = public, pg_temp");
  await watch.read();
  expect(await path()).toBe("public, pg_temp");
  await session.run("begin; set local search_path = pg_temp");
  await watch.read();
  expect(await path()).toBe("pg_temp");
  await session.run("rollback; reset all");
});
