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

const extensions = [
  ...["citext", "hstore", "ltree", "pg_trgm", "btree_gin", "btree_gist", "unaccent", "isn", "cube", "intarray"],
  ...["earthdistance", "tablefunc", "dict_int", "dict_xsyn", "seg", "lo", "bloom"],
];

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

  it("puts a grant that another role made behind the grants on the schema, which that role needs", async () => {
    await session.run(`begin; grant usage on schema shop to pg_monitor;
      grant select on shop.customer to pg_monitor with grant option;
      set local role pg_monitor; grant select on shop.customer to pg_read_all_stats; reset role`);
    const { entries } = await readCatalog(session);
    await session.run("rollback");
    const found = entries.find(({ key }) => key === "ACL shop TABLE customer");
    expect(found?.create).toContain("SET SESSION AUTHORIZATION pg_monitor;");
    expect(found?.dependencies).toContain("ACL - SCHEMA shop");
  });

  it("knows a range type, whose cast to its multirange comes with it", async () => {
    await session.run("create type shop.span as range (subtype = int4)");
    const { unknown } = await readCatalog(session);
    await session.run("drop type shop.span");
    expect(unknown).toEqual([]);
  });

  it("leaves out the operators, types, casts and text search of extensions", async () => {
    const before = (await readCatalog(session)).entries.map((entry) => entry.key);
    await session.run("begin");
    for (const extension of extensions) await session.run(`create extension ${extension} schema shop cascade`);
    const { entries, unknown } = await readCatalog(session);
    await session.run("rollback");
    const added = entries.filter((entry) => !before.includes(entry.key));
    expect([...new Set(added.map((entry) => entry.kind))].sort()).toEqual(["COMMENT", "EXTENSION"]);
    expect(added.filter(({ kind, name }) => kind === "COMMENT" && !name.startsWith("EXTENSION "))).toEqual([]);
    expect(unknown).toEqual([]);
  });

  it("leaves out what belongs to an excluded schema, also where it is in none itself", async () => {
    await session.run(`begin;
      create function belay.handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
      create language pltwin handler belay.handler;
      create type belay.state as enum ('a');
      create function belay.to_state(int) returns belay.state language sql as $$ select 'a'::belay.state $$;
      create cast (int as belay.state) with function belay.to_state(int);
      create cast (bigint as shop.state) with inout;
      create operator belay.=== (leftarg = int, rightarg = int, function = int4eq);
      create collation belay.c from "C";
      create function belay.heap(internal) returns table_am_handler language internal as 'heap_tableam_handler';
      create access method belay_heap type table handler belay.heap;
      create function belay.from_int(internal) returns internal language internal immutable as 'prsd_lextype';
      create transform for int language sql (from sql with function belay.from_int(internal))`);
    const { entries, unknown } = await readCatalog(session);
    await session.run("rollback");
    const kinds = ["CAST", "OPERATOR", "COLLATION", "PROCEDURAL LANGUAGE", "ACCESS METHOD", "TRANSFORM"];
    const found = entries.filter(({ kind }) => kinds.includes(kind));
    expect(found.map(({ key }) => key)).toEqual(["CAST - CAST (bigint AS shop.state)"]);
    expect(unknown).toEqual([]);
  });

  it("names the functions of a language also where pg_dump leaves them to an extension", async () => {
    await session.run(
      "begin; create trusted language pltwin handler plpgsql_call_handler inline plpgsql_inline_handler",
    );
    const { entries } = await readCatalog(session);
    const language = entries.find(({ key }) => key === "PROCEDURAL LANGUAGE - pltwin")!;
    expect(language.create).toBe(
      "CREATE TRUSTED PROCEDURAL LANGUAGE pltwin HANDLER pg_catalog.plpgsql_call_handler INLINE pg_catalog.plpgsql_inline_handler;\n",
    );
    await session.run(`drop language pltwin; ${language.create}`);
    expect((await readCatalog(session)).entries).toContainEqual(expect.objectContaining({ hash: language.hash }));
    await session.run("rollback");
  });

  it("names members of a built-in operator family, which nothing else stands for", async () => {
    await session.run(`begin;
      create extension citext;
      create function shop.before(int, text) returns boolean language sql as 'select true';
      create operator shop.<< (leftarg = int, rightarg = text, function = shop.before);
      create function shop.compare(int, text) returns int language sql as 'select 0';
      alter operator family pg_catalog.integer_ops using btree
        add operator 1 shop.<< (int, text), function 1 (int, text) shop.compare(int, text)`);
    const { unknown } = await readCatalog(session);
    await session.run("rollback");
    expect(unknown.map(({ kind, identity }) => `${kind}: ${identity}`)).toEqual([
      "OPERATOR FAMILY MEMBER: function 1 (integer, pg_catalog.text) of pg_catalog.integer_ops USING btree",
      "OPERATOR FAMILY MEMBER: operator 1 (integer, pg_catalog.text) of pg_catalog.integer_ops USING btree",
    ]);
  });

  it("names what it cannot write", async () => {
    await session.run("begin; select lo_create(0), lo_create(0)");
    const { unknown } = await readCatalog(session);
    await session.run("rollback");
    expect(unknown.map(({ kind, identity }) => `${kind}: ${identity}`)).toEqual(["BLOB: large objects"]);
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
