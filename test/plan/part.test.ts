import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import type { DependencyGraph } from "../../shared/rollback/effect/dependency-graph.ts";
import { resolveEffect } from "../../shared/rollback/effect/effect.ts";
import { entriesOfGraph } from "../../shared/rollback/effect/graph-entries.ts";
import { graphScope } from "../../shared/rollback/effect/graph-scope.ts";
import { readDependencyGraph } from "../../shared/rollback/effect/read-graph.ts";
import { findObstacles } from "../../shared/rollback/plan/obstacles.ts";
import { parseSql } from "../../shared/sql/parse.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

const world = `
  create schema shop; create schema "Odd.Name";
  create type shop.state as enum ('open', 'paid'); create domain shop.euro as numeric check (value >= 0);
  create table shop.customers (id bigint generated always as identity primary key, email text unique, home shop.state);
  create table shop.orders (id serial primary key, customer bigint references shop.customers on delete cascade, total shop.euro, at date);
  create table shop.lines (id int primary key, "order" int references shop.orders on delete cascade on update cascade, note text);
  create table shop.notes (id int, line int references shop.lines on delete set null);
  create view shop.open as select o.id, c.email from shop.orders o join shop.customers c on c.id = o.customer;
  create view shop.twice as select * from shop.open; create materialized view shop.sums as select sum(total) from shop.orders;
  create function shop.f(shop.state) returns int language sql immutable as 'select 1';
  create index on shop.customers (shop.f(home)); create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touch before update on shop.orders for each row execute function shop.touch();
  alter table shop.orders enable row level security; create policy own on shop.orders using (id > 1);
  comment on column shop.orders.total is 'euro'; grant select on shop.orders to public; create statistics shop.st on id, at from shop.orders;
  create table shop.parts (id int, at date, primary key (id, at)) partition by range (at);
  create table shop.parts_1 partition of shop.parts for values from ('2024-01-01') to ('2025-01-01');
  create table shop.parts_2 partition of shop.parts for values from ('2025-01-01') to ('2026-01-01');
  create table shop.of_parts (id int, at date, foreign key (id, at) references shop.parts);
  create table shop.parent (id int); create table shop.child (more int) inherits (shop.parent);
  create publication p for table shop.orders; create extension citext; create table shop.c (t citext);
  create table "Odd.Name"."a ""b" ("c d" int primary key); create view "Odd.Name"."v.w" as select * from "Odd.Name"."a ""b";
  create cast (shop.state as int) with function shop.f(shop.state); alter default privileges in schema shop grant select on tables to public;`;

const relations = [
  ...["customers", "orders", "lines", "notes", "parts", "parts_1", "of_parts", "parent", "child", "c", "absent"].map(
    (name) => `shop.${name}`,
  ),
  '"Odd.Name"."a ""b"',
];
const views = ["shop.open", "shop.twice", '"Odd.Name"."v.w"'];
const others = [
  "type shop.state",
  "domain shop.euro",
  "function shop.f(shop.state)",
  "function shop.touch()",
  "schema shop",
  'schema "Odd.Name"',
  "extension citext",
  "materialized view shop.sums",
  "sequence shop.orders_id_seq",
  "index shop.customers_f_idx",
  "statistics shop.st",
  "publication p",
  "cast (shop.state as int)",
  "language plpgsql",
];

const table = fc.constantFrom(...relations);
const cascade = fc.constantFrom("", " cascade");
const statement = fc.oneof(
  fc.tuple(table, cascade).map(([name, how]) => `drop table ${name}${how}`),
  fc.tuple(fc.constantFrom(...views), cascade).map(([name, how]) => `drop view ${name}${how}`),
  fc.tuple(fc.constantFrom(...others), cascade).map(([name, how]) => `drop ${name}${how}`),
  fc
    .tuple(table, fc.constantFrom("id", "total", "email", "home", "at", "customer", "t", '"c d"'), cascade)
    .map(([name, column, how]) => `alter table ${name} drop column ${column}${how}`),
  fc
    .tuple(
      table,
      fc.constantFrom(
        "rename to other",
        "rename column id to nr",
        "set schema public",
        "disable row level security",
        "add column extra shop.euro",
        "alter column id type bigint",
        "alter id drop default",
        "drop constraint orders_customer_fkey",
        "detach partition shop.parts_1",
        "no inherit shop.parent",
      ),
    )
    .map(([name, how]) => `alter table ${name} ${how}`),
  table.map((name) => `delete from ${name}`),
  fc.tuple(table, cascade).map(([name, how]) => `truncate ${name}${how}`),
  table.map((name) => `update ${name} set id = 1`),
  fc.constantFrom(
    "alter schema shop rename to store",
    "alter type shop.state rename to status",
    "comment on schema shop is null",
    "grant usage on schema shop to public",
    "comment on table shop.orders is 'x'",
    "revoke all on shop.orders from public",
    "set search_path = shop",
    "drop policy own on shop.orders",
    "drop trigger touch on shop.orders",
    "alter index shop.orders_pkey rename to pk",
    "alter sequence shop.orders_id_seq owned by none",
    "create table shop.orders (id int)",
    "create or replace function shop.touch() returns trigger language plpgsql as 'begin return old; end'",
    "drop table orders",
    "alter table only shop.parts drop constraint parts_pkey",
  ),
);

let database: TestDatabase;
let session: Session;
let whole: { graph: DependencyGraph; catalog: Catalog };

beforeAll(async () => {
  database = await createDatabase({ sql: world });
  session = await openSession(database.url);
  whole = { graph: await readDependencyGraph(session), catalog: await readCatalog(session) };
});
afterAll(async () => {
  await session.close();
  await database.drop();
});

describe("what is told from the part that the SQL can reach", () => {
  it("is what is told from all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(statement, { minLength: 1, maxLength: 3 }), async (lines) => {
        const statements = parseSql(lines.join(";\n"), { file: "rollback.sql", line: 1 });
        const graph = await readDependencyGraph(session, graphScope(statements));
        const only = entriesOfGraph(graph)!;
        const catalog = await readCatalog(session, { only, exact: true });
        const [part, all] = [
          resolveEffect(statements, graph, catalog),
          resolveEffect(statements, whole.graph, whole.catalog),
        ];
        expect(part).toEqual(all);
        expect(findObstacles(part, catalog, graph)).toEqual(findObstacles(all, whole.catalog, whole.graph));
        expect(touched(part.objects, catalog)).toEqual(touched(all.objects, whole.catalog));
      }),
      { numRuns: 40 },
    );
  });

  it("is little: one table of many leads to itself and what it belongs to", async () => {
    const graph = await readDependencyGraph(session, graphScope(parseSql("drop table shop.c", { file: "x", line: 1 })));
    expect(graph.objects.length).toBeLessThan(20);
  });
});

function touched(objects: readonly { readonly key: string }[], { entries }: Catalog) {
  const keys = new Set(objects.map(({ key }) => key));
  return Object.fromEntries(
    entries.flatMap(({ key, hash, dependencies }) => (keys.has(key) ? [[key, [hash, dependencies]]] : [])),
  );
}
