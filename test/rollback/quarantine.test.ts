import { describe, expect, onTestFinished, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, run } from "./helpers.ts";
import { wholeState } from "./undo-support.ts";

interface Case {
  readonly title: string;
  readonly base?: string;
  readonly up: string;
  readonly down: string;
  /** What is moved, `kind schema.name`, sequences apart. */
  readonly moved: readonly string[];
  readonly notes?: readonly RegExp[];
}

const name = "20250102000000_change";

async function prepared(base: string, up: string, down: string) {
  const database = await createDatabase({ installed: true });
  onTestFinished(() => database.drop());
  const pair: Pair = { name, up, down };
  await apply(database.url, { name: "20250101000000_base", up: base, down: "" }, pair);
  return { url: database.url, belay: testBelay({ database: database.url }) };
}

/** Storage of every table and its toast, indexes too, by oid. */
const storage = `select oid::int8 as oid, relfilenode::int8 as node from pg_class
  where relkind in ('r', 'i') and relfilenode > 0 and oid >= 16384 and relnamespace <> 'belay'::regnamespace order by 1`;

const cases: readonly Case[] = [
  {
    title:
      "a table with all that hangs on it, one that is renamed before, one whose default needs a function that goes",
    up: `create table orders (id serial primary key, code text unique check (code <> ''), at timestamptz default now(), total numeric generated always as (id * 2) stored);
      create index on orders (at); comment on table orders is 'o'; comment on column orders.code is 'c'; grant select on orders to public;
      alter table orders enable row level security; create policy own on orders using (code = current_user);
      create function noted() returns trigger language plpgsql as 'begin return new; end';
      create trigger noted before insert on orders for each row execute function noted();
      create statistics orders_st on id, at from orders; create publication pub for table orders;
      insert into orders (code) select 'c' || n from generate_series(1, 200) n;
      create table named (id serial primary key, n int); insert into named (n) values (5); create index named_n on named (n);
      create function code() returns text language sql as 'select 1::text'; create table coded (id int primary key, c text default code()); insert into coded values (1);`,
    down: "drop table if exists nothing, orders;\ndrop function noted();\ndrop publication pub;\nalter table named rename to old_named; alter sequence named_id_seq rename to old_named_seq; drop table old_named;\ndrop table coded; drop function code();",
    moved: ["table public.orders", "table public.named", "table public.coded"],
  },
  {
    title: "foreign keys in, out, between and to itself",
    base: `create table people (id int primary key); create table notes (id int primary key, o int); insert into people select generate_series(1, 9);
      insert into notes select n, n from generate_series(1, 9) n;`,
    up: `create table orders (id int primary key, p int references people, up int references orders deferrable);
      create table items (id int generated always as identity primary key, o int references orders on delete cascade);
      alter table notes add constraint notes_o_fkey foreign key (o) references orders (id) not valid;
      insert into orders select n, n, null from generate_series(1, 9) n; update orders set up = 1; insert into items (o) select id from orders;
      comment on constraint orders_p_fkey on orders is 'who';`,
    down: "alter table notes drop constraint notes_o_fkey; drop table items, orders;",
    moved: ["table public.items", "table public.orders"],
  },
  {
    title: "views, materialised views, functions, policies and defaults that CASCADE takes",
    base: "create table people (id int primary key, n int); alter table people enable row level security;",
    up: `create table orders (id int primary key, n int); insert into orders values (1, 2), (2, 3); create sequence counted; alter sequence counted owned by orders.n;
      create view v as select * from orders; create view w as select v.* from v join orders using (id); create materialized view m as select count(*) as n from w;
      create index on m (n); grant select on v to public; comment on view w is 'w';
      create function of_order(o orders) returns int language sql as 'select 1'; create function ids() returns setof int begin atomic select id from orders; end;
      create policy known on people using (exists (select from orders o where o.id = people.id)); alter table people alter n set default nextval('counted');
      create rule r as on insert to people do also update orders set n = 1;`,
    down: "drop table orders cascade;",
    moved: ["table public.orders"],
  },
  {
    title: "partitioned tables and parents with their children, and a partition and a child of parents that stay",
    base: `create table logs (id int, day date, primary key (id, day)) partition by range (day);
      create table logs_a partition of logs for values from ('2025-01-01') to ('2025-02-01'); insert into logs values (1, '2025-01-03');
      create table animals (id int, name text); insert into animals values (1, 'cat');`,
    up: `create table m (id int, k text, primary key (id, k)) partition by list (k); create table m_x partition of m for values in ('x') partition by hash (id);
      create table m_x0 partition of m_x for values with (modulus 2, remainder 0); create table m_x1 partition of m_x for values with (modulus 2, remainder 1);
      create table m_rest partition of m default; create index m_id on m (id);
      insert into m select n, case when n % 3 = 0 then 'x' else 'y' || n end from generate_series(1, 30) n;
      create table logs_b partition of logs for values from ('2025-02-01') to ('2025-03-01'); insert into logs values (2, '2025-02-03');
      create table plants (id int); create table trees (height int) inherits (plants); insert into plants values (1); insert into trees values (2, 3);
      create table dogs (id int, name text, breed text) inherits (animals); insert into dogs values (2, 'rex', 'pug');`,
    down: "drop table m; drop table logs_b; drop table plants cascade; drop table dogs;",
    moved: [
      "table public.m",
      "table public.m_x",
      "table public.m_x0",
      "table public.m_x1",
      "table public.m_rest",
      "table public.logs_b",
      "table public.plants",
      "table public.trees",
      "table public.dogs",
    ],
  },
  {
    title: "an enum, a domain and a composite type with the tables that use them, two schemas with equal names",
    up: `create schema a; create schema b; create type a.mood as enum ('x', 'y'); create type b.mood as (n int); create domain a.plus as int check (value > 0);
      create table a.orders (id serial primary key, m a.mood default 'x', p a.plus); create table b.orders (id serial primary key, m b.mood, all_m a.mood[]);
      insert into a.orders (m, p) values ('y', 3), ('x', 4); insert into b.orders (m, all_m) values (row(1), '{x,y}');`,
    down: "drop table a.orders; drop table b.orders; drop type a.mood, b.mood; drop domain a.plus; drop schema a; drop schema b;",
    moved: ["table a.orders", "table b.orders", "type a.mood", "type b.mood", "type a.plus"],
  },
];

describe("quarantine moves plainly dropped tables and types, and undo moves them back", () => {
  test.each(cases)("$title", async ({ base = "select 1", up, down, moved }) => {
    const { url, belay } = await prepared(base, up, down);
    const [before, stored] = [await wholeState(url), await run(url, storage)];
    const plan = await planRollback(belay, { migration: name, preserve: "quarantine" });
    expect(plan.preserve.notes).toEqual([]);
    const kept = plan.preserve.kept.filter(({ kind }) => kind !== "sequence");
    expect(kept.map((each) => `${each.kind} ${each.schema}.${each.name}`).sort()).toEqual([...moved].sort());
    expect(plan.effect.tables).toEqual([]);
    const request = { migration: name, preserve: "quarantine", reason: "test" } as const;
    const report = await executeRollback(belay, { ...request, planHash: plan.hash });
    expect(report.tables).toEqual([]);
    const away = await wholeState(url);
    for (const { schema, name: table, kind } of kept)
      if (kind === "table") expect(away.entries).not.toHaveProperty(`TABLE ${schema} ${table}`);
    const shown = `select inhrelid::regclass::text as child, inhparent::regclass::text as parent from pg_inherits where inhrelid::regclass::text ~ '^belay_kept' and inhparent::regclass::text !~ '^belay_kept'`;
    expect(await run(url, shown)).toEqual([]);
    const nodes = new Map(stored.map(({ oid, node }) => [oid, node]));
    for (const { oid, kind } of kept) {
      const [found] = await run(
        url,
        `select relfilenode::int8 as node, relnamespace::regnamespace::text as schema from pg_class where oid = ${oid} and ${kind === "table"}`,
      );
      if (found === undefined || found.node === "0") continue;
      expect(found).toEqual({
        node: nodes.get(String(oid)) ?? nodes.get(oid as never),
        schema: plan.preserve.kept.find((each) => each.oid === oid)!.keptIn,
      });
    }
    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
    expect(await run(url, "select nspname from pg_namespace where nspname like 'belay\\_kept%'")).toEqual([]);
    const again = await planRollback(belay, { migration: name, preserve: "quarantine" });
    expect(again.preserve.schema).toBe("belay_kept_20250102000000_2");
  });
});

describe("what cannot be moved is archived, and the plan says why", () => {
  test("table by table, and undo brings all back", async () => {
    const up = `create function ok(n int) returns boolean immutable language sql as 'select true'; create table checked (n int check (ok(n)));
      create table narrowed (a int, b int); create table emptied (a int); create table remade (a int);
      create type span as range (subtype = int); create table spanned (a int, s span);
      create table swapped (id int primary key, a int); insert into swapped values (1, 7); create table heir (b int) inherits (parents); insert into heir values (8, 9);
      insert into checked values (1); insert into narrowed values (1, 2); insert into emptied values (3); insert into remade values (4); insert into spanned values (5, '[1,2)');`;
    const down = `drop table checked; drop function ok(int); alter table narrowed drop column b; drop table narrowed; delete from emptied; drop table emptied;
      drop table remade; create table remade (b text); drop type span cascade; drop table spanned;
      create table swapped_new as select id from swapped; alter table swapped rename to swapped_old; alter table swapped_new rename to swapped; drop table swapped_old; drop table heir;`;
    const { url, belay } = await prepared("create table parents (a int)", up, down);
    const before = await wholeState(url);
    const plan = await planRollback(belay, { migration: name, preserve: "quarantine" });
    expect(plan.preserve.kept).toEqual([]);
    expect(plan.preserve.notes.sort()).toEqual([
      "table public.checked is archived instead: function public.ok, which it needs, goes",
      "table public.emptied is archived instead: the rollback SQL changes its rows or columns first",
      "table public.heir is archived instead: it inherits from a table that stays, and could not come back under it as it was",
      "table public.narrowed is archived instead: the rollback SQL changes its rows or columns first",
      "table public.remade is archived instead: the rollback SQL makes another one of that name",
      "table public.spanned is archived instead: the rollback SQL drops a column of it first",
      "table public.swapped_old is archived instead: the rollback SQL makes another one of that name",
      "type public.span is archived instead: only enums, domains and composite types can be moved",
    ]);
    const { rollbackId } = await executeRollback(belay, { migration: name, preserve: "quarantine", reason: "test" });
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });

  test("all of it where the SQL runs as another role, and a DROP without CASCADE still fails where a view stands", async () => {
    const roles = await prepared(
      "select 1",
      "create table t (a int);",
      "set role pg_monitor; reset role; drop table t;",
    );
    const plan = await planRollback(roles.belay, { migration: name, preserve: "quarantine" });
    expect(plan.preserve.notes).toEqual([
      "table public.t is archived instead: the rollback SQL runs statements as another role",
    ]);
    await run(roles.url, "create view v as select * from t");
    await run(roles.url, "update belay.migration_revisions set rollback_sql = 'drop table t;'");
    await run(roles.url, "update belay.migration_history set rollback_sql = 'drop table t;'");
    const stopped = await planRollback(roles.belay, { migration: name, preserve: "quarantine" });
    expect(stopped).toMatchObject({ canRollBack: false, sql: "drop table t;" });
  });
});
