import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { catalogClosure } from "../../shared/catalog/closure.ts";
import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { quoteIdent, quoteLiteral } from "../../shared/catalog/identifiers.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let session: Session;
beforeAll(async () => {
  database = await createDatabase({ sql: schema });
  session = await openSession(database.url);
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

const schema = `
  create schema shop;
  create type shop.state as enum ('new', 'paid');
  create table shop.customer (id int primary key, name text not null);
  create table shop.orders (id int primary key, customer_id int references shop.customer, state shop.state);
  create view shop.paid as select * from shop.orders where state = 'paid';
  grant select on shop.orders to public;
  grant update (state) on shop.orders to public;
  comment on column shop.orders.state is 'where it stands';
  create schema belay;
  create table belay.ledger (id int);`;

describe("readCatalog", () => {
  it("leaves Belay's own schema out, unless asked", async () => {
    const keys = async (excludeSchemas?: string[]) =>
      (await readCatalog(session, excludeSchemas === undefined ? {} : { excludeSchemas })).entries.map(
        (one) => one.key,
      );
    expect(await keys()).not.toContain("TABLE belay ledger");
    expect(await keys([])).toContain("TABLE belay ledger");
    expect(await keys(["shop", "belay"])).toEqual([]);
  });

  it("gives the same digest twice, and another after a change", async () => {
    const first = await readCatalog(session);
    expect((await readCatalog(session)).digest).toBe(first.digest);
    await session.run("begin; alter table shop.customer add column email text");
    expect((await readCatalog(session)).digest).not.toBe(first.digest);
    await session.run("rollback");
    expect((await readCatalog(session)).digest).toBe(first.digest);
  });

  it("inside a transaction sees its changes, and gives its settings back", async () => {
    await session.run("begin; set local search_path = shop; set local timezone = 'Asia/Tokyo'; create table fresh ()");
    const catalog = await readCatalog(session);
    expect(catalog.entries.map((entry) => entry.key)).toContain("TABLE shop fresh");
    const [row] = await session.sql`select current_setting('search_path') as path, current_setting('timezone') as zone`;
    expect(row).toEqual({ path: "shop", zone: "Asia/Tokyo" });
    await session.run("rollback");
  });

  it("has a column's grants need its table's, whose REVOKE would take them away", async () => {
    const { entries } = await readCatalog(session);
    const column = entries.find(({ key }) => key === "ACL shop COLUMN orders.state");
    expect(column?.dependencies).toEqual(["ACL shop TABLE orders", "TABLE shop orders"]);
  });

  it("outside a transaction leaves none open", async () => {
    await readCatalog(session);
    const [row] = await session.sql`select current_setting('search_path') as path`;
    expect(row).toEqual({ path: '"$user", public' });
    await expect(session.run("savepoint inside")).rejects.toThrow(/can only be used in transaction blocks/);
  });

  it("keeps the order of dependencies: a view behind its table, a comment right behind its table", async () => {
    const keys = (await readCatalog(session)).entries.map((entry) => entry.key);
    const at = (key: string) => keys.indexOf(key);
    expect(at("TYPE shop state")).toBeLessThan(at("TABLE shop orders"));
    expect(at("TABLE shop orders")).toBeLessThan(at("VIEW shop paid"));
    expect(at("CONSTRAINT shop customer customer_pkey")).toBeLessThan(
      at("FK CONSTRAINT shop orders orders_customer_id_fkey"),
    );
    expect(at("COMMENT shop COLUMN orders.state")).toBe(at("TABLE shop orders") + 1);
  });

  it("knows a range type, whose cast to its multirange comes with it", async () => {
    await session.run("create type shop.span as range (subtype = int4)");
    const { unknown } = await readCatalog(session);
    await session.run("drop type shop.span");
    expect(unknown).toEqual([]);
  });

  it("names what it cannot write, and members of extensions are no such thing", async () => {
    await session.run(`begin;
      create extension citext;
      create collation shop.odd (locale = 'C');
      create table shop.sorted (word text collate shop.odd);
      create view shop.above as select word from shop.sorted;
      create operator shop.=== (leftarg = int, rightarg = int, function = int4eq);
      create text search configuration shop.plain (copy = pg_catalog.simple);
      create function shop.to_state(text) returns shop.state language sql as 'select $1::shop.state';
      create cast (text as shop.state) with function shop.to_state(text);
      select lo_create(0), lo_create(0)`);
    const { unknown } = await readCatalog(session);
    await session.run("rollback");
    expect(unknown.map((object) => object.kind)).toEqual([
      "BLOB",
      "CAST",
      "COLLATION",
      "OPERATOR",
      "TEXT SEARCH CONFIGURATION",
    ]);
    expect(unknown[0]!.identity).toBe("2 large objects");
    expect(unknown.find((object) => object.kind === "COLLATION")).toMatchObject({
      identity: "shop.odd",
      neededBy: ["TABLE shop sorted", "VIEW shop above"],
    });
    expect(unknown.find((object) => object.kind === "OPERATOR")!.neededBy).toEqual([]);
  });
});

describe("compareCatalogs", () => {
  it("tells what went, what came and what changed", async () => {
    const before = await readCatalog(session);
    await session.run(
      `begin; drop view shop.paid; create table shop.item (); alter table shop.customer add email text`,
    );
    const after = await readCatalog(session);
    await session.run("rollback");
    const { removed, added, changed } = compareCatalogs(before, after);
    expect(removed.map((entry) => entry.key)).toEqual(["VIEW shop paid"]);
    expect(added.map((entry) => entry.key)).toEqual(["TABLE shop item"]);
    expect(changed.map(({ after: entry }) => entry.key)).toEqual(["TABLE shop customer"]);
  });
});

describe("catalogClosure", () => {
  it("has what the entries need, in an order in which they can be created, and no more", async () => {
    const catalog = await readCatalog(session);
    const closure = catalogClosure(catalog, ["VIEW shop paid"]);
    expect(closure.map((entry) => entry.key)).toEqual([
      "SCHEMA - shop",
      "TYPE shop state",
      "TABLE shop orders",
      "VIEW shop paid",
    ]);
  });

  it("of a key that is not there is an error that names it", async () => {
    const catalog = await readCatalog(session);
    expect(() => catalogClosure(catalog, ["TABLE shop nothing"])).toThrow(/TABLE shop nothing/);
  });
});

describe("identifiers", () => {
  it("are quoted as the server quotes them, keywords too", async () => {
    const keywords = await session.sql<{ word: string }[]>`select word from pg_get_keywords()`;
    // Unreserved in older servers, and allowed unquoted wherever a qualified name or a column stands.
    const younger = /^(json|json_.*|merge_action|system_user)$/;
    const names = [...keywords.map((row) => row.word).filter((word) => !younger.test(word))];
    names.push("plain", "_x1", "1x", "Mixed", "with space", 'quo"te', "dollar$", "naïve", "a.b");
    const rows = await session.sql<{ quoted: string }[]>`
      select quote_ident(name) as quoted from unnest(${names}::text[]) with ordinality as n (name, i) order by i`;
    expect(names.map(quoteIdent)).toEqual(rows.map((row) => row.quoted));
  });

  it("and literals survive the server", async () => {
    const values = ["it's", "back\\slash", "''", "", "new\nline", "$$"];
    const rows = await session.run(
      `select ${values.map((value, index) => `${quoteLiteral(value)} as c${index}`).join()}`,
    );
    expect(Object.values(rows[0]!)).toEqual(values);
  });
});
