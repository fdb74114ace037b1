import { describe, expect, it } from "vitest";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase } from "../support/postgres.ts";
import { effectCases } from "./cases.ts";
import { tellAndDo, toldKeys } from "./really.ts";

async function withDatabase<T>(setup: string, use: (session: Session) => Promise<T>): Promise<T> {
  const database = await createDatabase({ sql: setup });
  const session = await openSession(database.url);
  try {
    return await use(session);
  } finally {
    await session.close();
    await database.drop();
  }
}

describe("what is told before is what really happens", () => {
  for (const { name, setup, rollback } of effectCases)
    it(name, async () => {
      const { told, error, ...done } = await withDatabase(setup, (session) => tellAndDo(session, rollback));
      expect(error).toBeNull();
      expect(told.failures).toEqual([]);
      expect(toldKeys(told, "destroyed")).toEqual(done.destroyed.sort());
      expect(toldKeys(told, "created")).toEqual(done.created.sort());
      expect(toldKeys(told, "changed")).toEqual(expect.arrayContaining(done.changed));
      const locks = Object.fromEntries(told.locks.map((each) => [String(each.oid), each.mode]));
      expect(locks).toMatchObject(done.locks);
    });
});

const shop = `
  create table customers (id bigint primary key, email text not null, note text);
  create table orders (id bigint primary key, customer_id bigint references customers);
  create view emails as select email from customers;`;

describe("an attribute of a composite type", () => {
  const nested =
    "create type part as (a text, z int); create type whole as (p part[]); create domain known as whole; create table kept (w known);";

  it("whose values a table stores, in whatever they are nested, is not taken away: no archive could give it back", async () => {
    const { told } = await withDatabase(nested, (session) => tellAndDo(session, "alter type part drop attribute z"));
    expect(told.unsupported).toEqual([expect.objectContaining({ why: expect.stringMatching(/kept stores values/) })]);
  });

  it("that no table stores changes its type, as the plan names it", async () => {
    const setup = "create type part as (a text, z int); create function f(part) returns int language sql as 'select 1'";
    const { told, ...done } = await withDatabase(setup, (session) =>
      tellAndDo(session, "alter type part drop attribute z"),
    );
    expect(told.unsupported).toEqual([]);
    expect(toldKeys(told, "changed")).toEqual(expect.arrayContaining(done.changed));
    expect(done.changed).not.toEqual([]);
  });
});

describe("a rollback that would fail is told before", () => {
  const cases: [name: string, setup: string, rollback: string, why: RegExp][] = [
    [
      "a DROP without CASCADE that others depend on",
      shop,
      "drop table customers",
      /fails without CASCADE: .*(view public\.emails|constraint orders_customer_id_fkey)/,
    ],
    [
      "a column that a view uses",
      shop,
      "alter table customers drop column email",
      /fails without CASCADE: view public\.emails/,
    ],
    ["a table that is not there", shop, "drop table customer", /table customer is not there/],
    [
      "a column that is not there",
      shop,
      "alter table customers drop column name",
      /column name of public\.customers is not there/,
    ],
    [
      "a constraint's own index",
      shop,
      "drop index customers_pkey",
      /cannot be dropped alone: constraint customers_pkey on public\.customers requires it/,
    ],
    ["a view dropped as a table", shop, "drop table emails", /public\.emails is not a table/],
    [
      "NOT NULL on a column that is not there",
      shop,
      "alter table customers alter column name set not null",
      /column name of public\.customers is not there/,
    ],
    [
      "an index on a column that is not there",
      shop,
      "create index on customers (name)",
      /column name of public\.customers is not there/,
    ],
    [
      "a column that is already there",
      shop,
      "alter table customers add column note text",
      /column note of public\.customers is already there/,
    ],
    ["a table dropped twice", shop, "drop table orders; drop table orders", /table orders is not there/],
    ["a table that is already there", shop, "create table orders (id int)", /public\.orders is already there/],
    [
      "a function under other arguments",
      "create function f(int) returns int language sql as 'select 1'",
      "drop function f(text)",
      /function f is not there/,
    ],
    [
      "a name outside of the search_path",
      "create schema s; create table s.t (id int)",
      "drop table t",
      /table t is not there/,
    ],
  ];
  for (const [name, setup, rollback, why] of cases)
    it(name, async () => {
      const { told, error } = await withDatabase(setup, (session) => tellAndDo(session, rollback));
      expect(error, "the server refuses it too").not.toBeNull();
      expect(told.failures.map((each) => each.why).join("\n")).toMatch(why);
    });

  it.each([
    ["select lo_unlink(1)", /lo_unlink writes or removes large objects.*belay dump/],
    ["select pg_catalog.lo_put(1, 0, 'x')", /lo_put writes/],
    ["delete from t where lo_unlink(id) = 1", /lo_unlink writes/],
    ["with gone as (delete from t returning lo_unlink(id)) select 1", /lo_unlink writes/],
    ["delete from pg_largeobject", /system catalog pg_largeobject/],
    ["update pg_catalog.pg_class set relname = 'x' where false", /system catalog pg_catalog\.pg_class/],
  ])("refuses %s: no archive holds what it changes", async (sql, why) => {
    const { told } = await withDatabase("create table t (id oid)", (session) => tellAndDo(session, sql));
    expect(told.unsupported.map((each) => each.why).join()).toMatch(why);
    expect(told.failures).toEqual([]);
  });

  it("takes a function of the team's own by that name for what it is", async () => {
    const own = "create schema s; create function s.lo_unlink(int) returns int language sql as 'select 1'";
    const { told } = await withDatabase(own, (session) => tellAndDo(session, "select s.lo_unlink(1)"));
    expect(told.unsupported).toEqual([]);
  });

  it("refuses to drop Belay's own record", async () => {
    const own = "create schema belay; create table belay.migration_history (id int)";
    for (const sql of [
      "drop schema belay cascade",
      "delete from belay.migration_history",
      "alter table belay.migration_history drop column id",
    ]) {
      const { told } = await withDatabase(own, (session) => tellAndDo(session, sql));
      expect(told.unsupported.map((each) => each.why).join()).toMatch(/Belay's own record/);
    }
  });

  it("tells what IF EXISTS did not find", async () => {
    const { told } = await withDatabase(shop, (session) => tellAndDo(session, "drop table if exists s.nothing"));
    expect(told.absent.map((each) => each.why)).toEqual(["table s.nothing is not there"]);
    expect(told.objects).toEqual([]);
  });
});

describe("a lock's reason", () => {
  const reasons = (setup: string, rollback: string) =>
    withDatabase(setup, async (session) => {
      const { told } = await tellAndDo(session, rollback);
      const rows = await session.sql`select oid::int8::float8 as oid, relname as name from pg_class`;
      const names = new Map(rows.map((row) => [row.oid as number, row.name as string]));
      return Object.fromEntries(told.locks.map((each) => [names.get(each.oid), each.because]));
    });

  it("is what a person calls it: destroyed, or the part that goes, or the foreign key", async () => {
    const setup = `${shop} create index on customers (note); create rule r as on update to customers do also nothing;`;
    expect(await reasons(setup, "drop table orders")).toEqual({
      orders: "destroyed",
      customers: "parent of foreign key orders_customer_id_fkey on public.orders, which goes",
    });
    expect(await reasons(setup, "drop view emails; drop index customers_note_idx; drop rule r on customers")).toEqual({
      emails: "destroyed",
      customers: "its index customers_note_idx goes; its rule r goes",
    });
    expect(await reasons("create table t (id serial, n int default 7)", "alter table t alter n drop default")).toEqual({
      t: "column n loses its default",
    });
  });

  it("names the tables that a DELETE, an UPDATE and a TRUNCATE reach by foreign keys", async () => {
    const setup = `create table a (id int primary key, n int unique);
      create table b (id int primary key, a int references a on delete cascade on update cascade);
      create table c (id int, b int references b on delete set null);
      create table d (id int, n int references a (n) on delete restrict);`;
    expect(await reasons(setup, "delete from a")).toMatchObject({
      b: "rows deleted by foreign key b_a_fkey, ON DELETE",
      c: "rows changed by foreign key c_b_fkey, ON DELETE",
    });
    expect(Object.keys(await reasons(setup, "delete from a")).sort()).toEqual(["a", "b", "c"]);
    expect(Object.keys(await reasons(setup, "update a set id = id + 1")).sort()).toEqual(["a", "b"]);
    expect(Object.keys(await reasons(setup, "update a set n = 1")).sort()).toEqual(["a"]);
    expect(Object.keys(await reasons(setup, "truncate a cascade")).sort()).toEqual(["a", "b", "c", "d"]);
  });
});

describe("what the text cannot tell", () => {
  for (const sql of [
    "do $$ begin delete from orders; end $$",
    "select pg_notify('a', 'b')",
    "delete from orders",
    "update customers set note = null",
    "truncate orders",
    "insert into customers values (1, 'a')",
    "alter table customers alter column note type varchar(3)",
  ])
    it(`lists as opaque: ${sql}`, async () => {
      const { told } = await withDatabase(shop, (session) => tellAndDo(session, sql));
      expect(told.opaque).toMatchObject([{ line: 1, statement: sql }]);
      expect(told.opaque[0]?.why).not.toBe("");
    });
});
