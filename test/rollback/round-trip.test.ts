import { describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph } from "./helpers.ts";

const base: Pair = {
  name: "20250101000000_base",
  up: `
    create table customers (id int primary key, name text not null);
    insert into customers select n, 'customer ' || n from generate_series(1, 50) n;`,
  down: "drop table customers;",
};

const orders: Pair = {
  name: "20250102000000_orders",
  up: `
    create sequence order_numbers start 1000;
    create table orders (
      id bigint generated always as identity primary key,
      number bigint not null default nextval('order_numbers') unique,
      customer_id int not null references customers (id),
      note text default 'none',
      cents int not null check (cents >= 0),
      total numeric generated always as (cents / 100.0) stored,
      parent bigint references orders (id)
    );
    alter sequence order_numbers owned by orders.number;
    create index orders_note on orders (lower(note)) where note is not null;
    create function stamp() returns trigger language plpgsql as $$ begin new.note := coalesce(new.note, 'stamped'); return new; end $$;
    create trigger orders_stamp before insert or update on orders for each row execute function stamp();
    alter table orders disable trigger orders_stamp;
    alter table orders enable row level security;
    create policy own_orders on orders using (customer_id = 1);
    create view open_orders as select id, note from orders where parent is null;
    grant select on orders to public;
    comment on table orders is 'what was bought';
    insert into orders (customer_id, note, cents, parent) select 1 + n % 50, case when n % 3 = 0 then null else 'n' || n end, n, null from generate_series(1, 500) n;
    update orders set parent = id - 1 where id > 400;`,
  down: `
    drop view open_orders;
    drop table orders;
    drop function stamp();`,
};

describe("a rollback that drops a table with all that hangs on it", () => {
  test("archives it, and undo puts every object, row and sequence back", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, base, orders);
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url });

    const report = await executeRollback(belay, { migration: orders.name, reason: "test" });
    expect(report.outcome).toBe("committed");
    expect(report.tables).toMatchObject([{ schema: "public", table: "orders", rows: 500 }]);
    const between = await photograph(database.url);
    expect(between.tables["public.orders"]).toBeUndefined();
    expect(between.tables["public.customers"]).toBe(before.tables["public.customers"]);
    expect((await listArchives(belay.store)).map(({ id }) => id)).toEqual([report.archiveId]);

    const undone = await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(undone.outcome).toBe("committed");
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });
});
