import { afterAll, beforeAll, expect, test } from "vitest";
import { createDebianDatabase, describeWithDebian, pgDump } from "../support/debian.ts";
import { runSql, type TestDatabase } from "../support/postgres.ts";
import { query, restoreInto, stockDump } from "./support.ts";

const sql = `
  create schema shop; create schema other; create extension pg_trgm schema other;
  create type shop.mood as enum ('calm', 'cross'); create domain shop.positive as int check (value > 0);
  create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
  create function shop.label(int) returns text language sql immutable as 'select ''no '' || $1';
  create table shop.customers (id serial primary key, name text not null);
  create table shop.orders (id bigint generated always as identity primary key, customer int references shop.customers, up bigint references shop.orders,
    mood shop.mood default 'calm', amount shop.positive, label text default shop.label(1), note text);
  create table shop."order lines" (id int primary key, "order" bigint references shop.orders, constraint fine check (id > 0));
  create table other.unrelated (id int primary key);
  create index on shop.orders using gin (note other.gin_trgm_ops);
  create trigger touched before update on shop.orders for each row execute function shop.touch();
  alter table shop.orders enable row level security; create policy own on shop.orders using (customer > 0);
  grant select on shop.orders to public; comment on column shop.orders.note is 'free text'; comment on table other.unrelated is 'not wanted';
  create view shop.open as select * from shop.orders; create rule quiet as on delete to shop.customers do instead nothing;
  create table shop.events (at date not null, what text) partition by range (at);
  create table shop.events_2024 partition of shop.events for values from ('2024-01-01') to ('2025-01-01');
  create table shop.events_2025 partition of shop.events for values from ('2025-01-01') to ('2026-01-01');
  create index on shop.events (at); create statistics shop.both on at, what from shop.events;
  insert into shop.customers (name) select 'c' || i from generate_series(1, 20) i;
  insert into shop.orders (customer, amount, note) select i, i, 'note ' || i from generate_series(1, 20) i;
  insert into shop."order lines" select i, i from generate_series(1, 20) i; insert into other.unrelated values (1);
  insert into shop.events select date '2024-06-01' + i * 30, 'e' from generate_series(1, 15) i;`;

describeWithDebian("restoring selected tables", () => {
  let source: TestDatabase;
  let place: string;
  beforeAll(async () => {
    source = await createDebianDatabase(sql);
    place = await stockDump(source.url, "-Fc");
  });
  afterAll(() => source.drop());

  test("a table comes with its schema, types, functions, sequence, indexes, trigger, policy, grants and comments, and nothing else", async () => {
    const target = await createDebianDatabase();
    const report = await restoreInto(target.url, place, { tables: ["shop.orders"] });
    expect(report).toMatchObject({ tables: 1, rows: 20 });
    expect(report.warnings).toEqual([
      "the foreign key shop.orders orders_customer_fkey was left out: it leads to a table that is not restored",
    ]);
    const [ours, theirs] = await Promise.all([target, source].map(({ url }) => pgDump(url, "-t", "shop.orders")));
    expect(ours).toBe(theirs!.replace(/--\n-- Name: orders orders_customer_fkey;[\s\S]*?\n\n\n(?=--)/, ""));
    expect(
      await query(
        target.url,
        "select relname from pg_class where relnamespace = 'shop'::regnamespace and relkind in ('r', 'v', 'p') order by 1",
      ),
    ).toEqual([{ relname: "orders" }]);
    expect(
      await query(target.url, "select obj_description(oid) as comment from pg_class where relname = 'unrelated'"),
    ).toEqual([]);
    expect(await query(target.url, "insert into shop.orders (note) values ('next') returning id::int")).toEqual([
      { id: 21 },
    ]);
    await target.drop();
  });

  test("with the table that a foreign key leads to, the foreign key comes too", async () => {
    const target = await createDebianDatabase();
    const report = await restoreInto(target.url, place, { tables: ["shop.orders", "customers", 'shop."order lines"'] });
    expect(report).toMatchObject({ tables: 3, rows: 60, warnings: [] });
    const tables = ["-t", "shop.orders", "-t", "shop.customers", "-t", 'shop."order lines"'];
    // pg_dump orders tables that depend on each other by their oids too.
    const [ours, theirs] = await Promise.all([target, source].map(({ url }) => pgDump(url, ...tables)));
    expect(ours!.split("\n").sort()).toEqual(theirs!.split("\n").sort());
    await target.drop();
  });

  test("a partitioned table comes with its partitions; a partition with its table, whose other rows stay away", async () => {
    for (const [name, rows] of [
      ["shop.events", 15],
      ["shop.events_2025", 8],
    ] as const) {
      const target = await createDebianDatabase();
      const report = await restoreInto(target.url, place, { tables: [name] });
      expect(report.rows).toBe(rows);
      expect(await query(target.url, "select count(*)::int as rows from shop.events")).toEqual([{ rows }]);
      await target.drop();
    }
  });

  test("beside other objects: what is there already is kept and named, a table of that name is refused", async () => {
    const target = await createDebianDatabase(
      "create schema shop; create type shop.mood as enum ('calm', 'cross', 'new'); create table mine ()",
    );
    const options = { tables: ["shop.orders"], intoNonEmpty: true };
    const report = await restoreInto(target.url, place, options);
    expect(report.warnings).toContain("SCHEMA shop was there already and was kept");
    expect(report.warnings).toContain("TYPE shop.mood was there already and was kept");
    const error = await restoreInto(target.url, place, options).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "restore_target" });
    expect(error.message).toContain("shop.orders");
    await target.drop();
  });

  test.each([
    ["shop.nothing", /the archive has no table shop\.nothing/],
    ["shop.open", /shop\.open is no table: it is a view/],
  ])("%s is refused as what it is", async (name, said) => {
    const target = await createDebianDatabase();
    const error = await restoreInto(target.url, place, { tables: [name] }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "usage" });
    expect(error.message).toMatch(said);
    await target.drop();
  });

  test("a role that is no superuser restores all but what it may not, which is named", async () => {
    const roles = "create role restore_owner login createdb password 'own'";
    await runSql(source.url, `do $$ begin ${roles}; exception when duplicate_object then null; end $$;`);
    const own = await createDebianDatabase(
      "create table t (id int primary key); insert into t values (1); create function tell() returns event_trigger language plpgsql as 'begin end'; create publication all_of_it for all tables",
    );
    await runSql(own.url, "create event trigger told on ddl_command_end execute function tell()");
    const all = await stockDump(own.url, "-Fd");
    const target = await createDebianDatabase();
    await runSql(
      target.url,
      "do $$ begin execute format('alter database %I owner to restore_owner', current_database()); end $$",
    );
    const url = new URL(target.url);
    [url.username, url.password] = ["restore_owner", "own"];
    const report = await restoreInto(url.href, all, { owners: false });
    expect(report.rows).toBe(1);
    expect(report.warnings.join("\n")).toMatch(
      /PUBLICATION all_of_it was left out: must be superuser[\s\S]*EVENT TRIGGER told was left out: /,
    );
    await target.drop();
    await own.drop();
    await runSql(source.url, "drop role restore_owner");
  });
});
