import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckContext } from "../../drills/checks/check.ts";
import { foreignKeysCheck } from "../../drills/checks/foreign-keys.ts";
import { runDrill } from "../../drills/run-drill.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { makeWorld, type World } from "../functions/world.ts";
import { apply, type Pair } from "../rollback/helpers.ts";

const base: Pair = {
  name: "20250101000000_base",
  up: `create schema shop;
    create table shop.customers (id int primary key, name text not null);
    insert into shop.customers select n, 'customer ' || n from generate_series(1, 50) n;
    create function shop.me() returns int language sql stable as 'select 1';`,
  down: "drop schema shop cascade;",
};

const rollbacks: readonly (Pair & { readonly title: string })[] = [
  {
    title: "a table with a foreign key that leads out, a policy, an enum and a trigger",
    name: "20250102000000_orders",
    up: `create type shop.state as enum ('open', 'paid');
      create table shop.orders (id bigint generated always as identity primary key, state shop.state not null default 'open',
        customer_id int not null references shop.customers);
      alter table shop.orders enable row level security;
      create policy own on shop.orders using (customer_id = shop.me());
      create function shop.touch() returns trigger language plpgsql as $$ begin return new; end $$;
      create trigger touch before update on shop.orders for each row execute function shop.touch();
      insert into shop.orders (customer_id) select 1 + n % 50 from generate_series(1, 300) n;`,
    down: "drop table shop.orders; drop function shop.touch(); drop type shop.state;",
  },
  {
    title: "columns of a table that stays",
    name: "20250103000000_columns",
    up: `alter table shop.customers add column "Odd col" text, add column points int not null default 7;
      update shop.customers set "Odd col" = 'x' || id where id % 2 = 0;`,
    down: `alter table shop.customers drop column "Odd col", drop column points;`,
  },
  {
    title: "partitions",
    name: "20250104000000_partitions",
    up: `create table shop.events (at date not null, n int) partition by range (at);
      create table shop.events_1 partition of shop.events for values from ('2026-01-01') to ('2026-07-01');
      create table shop.events_2 partition of shop.events for values from ('2026-07-01') to ('2027-01-01');
      insert into shop.events select date '2026-01-01' + n, n from generate_series(0, 300) n;`,
    down: "drop table shop.events;",
  },
  {
    title: "a view and a function alone, without a row",
    name: "20250105000000_views",
    up: `create view shop.names as select name from shop.customers;
      create function shop.count_names() returns bigint language sql as 'select count(*) from shop.names';`,
    down: "drop function shop.count_names(); drop view shop.names;",
  },
];

let world: World;
beforeAll(async () => {
  world = await makeWorld();
  await apply(world.url, base);
});
afterAll(() => world.drop());

describe("the archive of a rollback drills by itself:", () => {
  it.each(rollbacks)("$title", async (pair) => {
    await apply(world.url, pair);
    const report = await executeRollback(world.belay(), { migration: pair.name, reason: "test" });
    expect(report.archiveId).not.toBeNull();
    const drill = await runDrill(world.belay(), { archiveId: report.archiveId! });
    expect(drill.checks.filter((check) => check.state !== "passed")).toEqual([]);
    expect(drill.verdict).toBe("pass");
  });
});

describe("foreign keys", () => {
  it("that are marked valid over orphans are found out", async () => {
    await world.session.run(`create table parent (a int, b int, primary key (a, b));
      create table child (id int primary key, a int, b int, foreign key (a, b) references parent);
      insert into parent values (1, 1);
      set session_replication_role = replica;
      insert into child values (1, 1, 1), (2, 1, 2), (3, null, 9);
      set session_replication_role = origin`);
    const context = { scratch: world.session } as unknown as CheckContext;
    expect(await foreignKeysCheck.run(context)).toMatchObject({
      state: "failed",
      blame: "backup_bad",
      evidence: expect.stringMatching(/public\.child child_a_b_fkey: 1 orphans/),
    });
    await world.session.run("delete from child where id = 2");
    expect((await foreignKeysCheck.run(context)).state).toBe("passed");
  });
});
