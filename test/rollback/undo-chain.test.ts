import { afterAll, beforeAll, expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph } from "./helpers.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

/** Each of these is undone after the one below it was undone, which made tables anew. */
const chain: Pair[] = [
  {
    name: "20250101000000_tables",
    up: `create table a (id int primary key, x text default 'x', n int); insert into a values (1, 'one', 1), (2, 'two', 2);
         create table old_b (id int primary key); create sequence s; create type mood as enum ('ok');
         create table p (id serial primary key, m mood); insert into p (m) values ('ok'), (null)`,
    down: "drop table a, old_b, p; drop sequence s; drop type mood",
  },
  {
    name: "20250102000000_drops_a_table_and_a_column",
    up: "drop table old_b; alter table a drop n",
    down: "create table old_b (id int primary key); alter table a add n int",
  },
  {
    name: "20250103000000_changes_rows",
    up: "update a set x = upper(x)",
    down: "update a set x = lower(x)",
  },
  {
    name: "20250104000000_columns_in_another_order",
    up: "alter table a add y text default 'y', add z text",
    down: "alter table a drop y, drop z",
  },
  {
    name: "20250105000000_drops_the_column_in_the_middle",
    up: "alter table a drop y",
    down: "alter table a add y text default 'y'",
  },
  {
    name: "20250106000000_table_with_a_default",
    up: "create table d (id int primary key, state text default 'new'); insert into d values (1), (2)",
    down: "drop table d",
  },
  {
    name: "20250107000000_drops_the_default_column",
    up: "alter table d drop state",
    down: "alter table d add state text default 'new'",
  },
  {
    name: "20250108000000_constraint",
    up: "alter table a add check (id > 0); alter sequence s increment 3",
    down: "alter table a drop constraint a_id_check; alter sequence s increment 1",
  },
  {
    name: "20250109000000_renames",
    up: "alter table p rename to q; alter table q rename m to feels; alter type mood rename to feeling",
    down: "alter type feeling rename to mood; alter table q rename feels to m; alter table q rename to p",
  },
];

test("rollbacks down to zero are undone one after another, over tables that undo made anew", async () => {
  await apply(database.url, ...chain);
  const belay = testBelay({ database: database.url });
  const levels: { id: string; before: Awaited<ReturnType<typeof photograph>> }[] = [];
  for (const { name } of chain.toReversed()) {
    const before = await photograph(database.url);
    const { rollbackId } = await executeRollback(belay, { migration: name, reason: "down", waive: ["end_state"] });
    levels.push({ id: rollbackId, before });
  }
  for (const { id, before } of levels.toReversed()) {
    await undoRollback(belay, { rollbackId: id, reason: "up" });
    const { tables, sequences, entries } = await photograph(database.url);
    expect(tables).toEqual(before.tables);
    expect(sequences).toEqual(before.sequences);
    expect(Object.keys(entries)).toEqual(Object.keys(before.entries));
  }
});
