import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planUndo } from "../../shared/rollback/undo/plan-undo.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { photograph, run } from "./helpers.ts";
import { orders, refusal, rollbacksIn } from "./undo-in-schemas.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const { belay, rolledBack, undo } = rollbacksIn(() => database);

const status = async (name: string) =>
  (await run(database.url, `select status from belay.migration_history where migration_name = '${name}'`))[0]!.status;

describe("undo --only", () => {
  test("puts back tables with all that hangs on them; what needs another table is named and left out; the rest follows later", async () => {
    const { rollbackId, schema, name, before, run: sql } = await rolledBack(orders);
    const part = await undo(rollbackId, { only: [`${schema}.items`] });
    const after = await photograph(database.url);
    expect(after.tables[`${schema}.items`]).toBe(before.tables[`${schema}.items`]);
    expect(after.tables[`${schema}.orders`]).toBeUndefined();
    expect(part.undone).toMatchObject({ rollbackId, only: [`${schema}.items`] });
    expect(part.notes.join("\n")).toContain(
      `left out: FK CONSTRAINT ${schema} items items_order_fkey: TABLE ${schema} orders is not there`,
    );
    expect(await status(name)).toBe("rolled_back");
    await undo(rollbackId, { only: [`${schema}.orders`] });
    const both = await photograph(database.url);
    const own = ([key]: [string, unknown]) =>
      / (orders|items)( |$|_)/.test(key) && key.includes(schema) && !key.includes("items_order_fkey");
    expect(Object.fromEntries(Object.entries(both.entries).filter(own))).toEqual(
      Object.fromEntries(Object.entries(before.entries).filter(own)),
    );
    expect(both.sequences).toEqual(before.sequences);
    const [trigger] = await sql(
      "select tgenabled as enabled from pg_trigger where tgrelid = '$.orders'::regclass and not tgisinternal",
    );
    expect(trigger).toEqual({ enabled: "D" });
    const plan = await planUndo(belay(), { rollbackId });
    expect(plan.present).toContain(`rows of ${schema}.items`);
    expect(plan).toMatchObject({ canUndo: true, conflicts: [] });
    await undo(rollbackId);
    const whole = await photograph(database.url);
    expect(whole.tables).toEqual(before.tables);
    expect(Object.keys(whole.entries)).toEqual(Object.keys(before.entries));
    expect(await status(name)).toBe("applied");
  });

  test.each(["archive", "quarantine"] as const)(
    "puts back a table with its identity column, out of the %s",
    async (preserve) => {
      const up = `create table $.tickets (id int generated always as identity primary key, note text); create table $.others (id int);
      insert into $.tickets (note) select 'n' from generate_series(1, 7); grant usage on sequence $.tickets_id_seq to public;`;
      const {
        rollbackId,
        schema,
        before,
        run: sql,
      } = await rolledBack({ up, down: "drop table $.tickets, $.others;" }, preserve);
      await undo(rollbackId, { only: [`${schema}.tickets`] });
      const part = await photograph(database.url);
      expect(part.tables[`${schema}.tickets`]).toBe(before.tables[`${schema}.tickets`]);
      expect(part.tables[`${schema}.others`]).toBeUndefined();
      expect(part.sequences).toEqual(before.sequences);
      await undo(rollbackId);
      expect(await photograph(database.url)).toMatchObject({ tables: before.tables, sequences: before.sequences });
      expect(await sql("insert into $.tickets (note) values ('next') returning id")).toEqual([{ id: 8 }]);
    },
  );

  test("rows that changed in a table that came back alone are a conflict of the whole undo", async () => {
    const { rollbackId, schema, before, run: sql } = await rolledBack(orders);
    await undo(rollbackId, { only: ["orders"] });
    await sql("update $.orders set note = 'new' where id = 1");
    const error = await refusal(undo(rollbackId));
    expect(error.message).toContain(`${schema}.orders is there again, with other rows than were archived`);
    await undo(rollbackId, { discardNewer: [`${schema}.orders`] });
    expect((await photograph(database.url)).tables).toEqual(before.tables);
  });

  test("puts back just the lost columns of a table", async () => {
    const { rollbackId, schema, before, run: sql } = await rolledBack(orders);
    await undo(rollbackId, { only: [`${schema}.people`] });
    const after = await photograph(database.url);
    expect(after.tables[`${schema}.people`]).toBe(before.tables[`${schema}.people`]);
    expect(await sql("select to_regclass('$.orders') as there")).toEqual([{ there: null }]);
    await undo(rollbackId);
    expect((await photograph(database.url)).tables).toEqual(before.tables);
  });

  test("puts back a partitioned table with its partitions, and a type that it needs", async () => {
    const {
      rollbackId,
      schema,
      before,
      run: sql,
    } = await rolledBack({
      up: `create type $.mood as enum ('calm', 'cross'); create table $.logs (id int, mood $.mood) partition by range (id);
        create table $.logs_a partition of $.logs for values from (1) to (10); create table $.logs_b partition of $.logs default;
        create index on $.logs (mood); insert into $.logs select n, 'cross' from generate_series(1, 20) n; create table $.other (i int);`,
      down: "drop table $.logs, $.other; drop type $.mood;",
    });
    await undo(rollbackId, { only: ["logs"] });
    const after = await photograph(database.url);
    const { [`${schema}.other`]: _, ...tables } = before.tables;
    expect(after.tables).toEqual(tables);
    expect(await sql("select count(*)::int as n from $.logs where mood = 'cross'")).toEqual([{ n: 20 }]);
  });

  test("puts back the rows of a table that the rollback emptied, and archives those of now", async () => {
    const {
      rollbackId,
      schema,
      before,
      run: sql,
    } = await rolledBack({
      base: "create table $.t (id int primary key, n int); insert into $.t values (1, 1);",
      up: "insert into $.t values (2, 2);",
      down: "delete from $.t where id = 2;",
    });
    await sql("insert into $.t values (3, 3)");
    expect(await refusal(undo(rollbackId, { only: ["t"] }))).toMatchObject({ code: "undo_conflict" });
    const report = await undo(rollbackId, { only: ["t"], discardNewer: ["t"] });
    expect(report.archiveId).toMatch(/^undo-/);
    expect((await photograph(database.url)).tables[`${schema}.t`]).toBe(before.tables[`${schema}.t`]);
  });

  test("refuses a table that the rollback did not touch, and names those that it did", async () => {
    const { rollbackId, schema } = await rolledBack(orders);
    const error = await refusal(undo(rollbackId, { only: ["nothing"] }));
    expect(error).toMatchObject({
      code: "usage",
      message: expect.stringContaining("nothing was neither taken nor changed"),
    });
    expect(error.hint).toContain(`${schema}.items, ${schema}.orders, ${schema}.people`);
    await undo(rollbackId);
  });
});

test("what was put back by hand is left as it is: the undo settles the record", async () => {
  const {
    rollbackId,
    name,
    before,
    run: sql,
  } = await rolledBack({
    up: "create table $.h (id int primary key, n text); insert into $.h values (1, 'a');",
    down: "drop table $.h;",
  });
  await sql("create table $.h (id int primary key, n text); insert into $.h values (1, 'a')");
  const report = await undo(rollbackId);
  expect(report).toMatchObject({ archiveId: null, tables: [] });
  expect(await photograph(database.url)).toEqual(before);
  expect(await status(name)).toBe("applied");
});
