import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../../shared/archive/list.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { defaultPolicy } from "../../shared/rollback/plan/policy.ts";
import { approveUndo } from "../../shared/rollback/undo/approve-undo.ts";
import { undoPlanSchema } from "../../shared/rollback/undo/plan-types.ts";
import { planUndo } from "../../shared/rollback/undo/plan-undo.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { soloPolicy } from "../support/policy.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { apply, photograph, run } from "./helpers.ts";
import { orders, refusal, rollbacksIn } from "./undo-in-schemas.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const { store, belay, rolledBack, undo } = rollbacksIn(() => database);

const rewriting = {
  base: "create table $.t (id int primary key, n text); insert into $.t select n, 'n' || n from generate_series(1, 5) n;",
  up: "update $.t set n = upper(n);",
  down: "update $.t set n = lower(n) where id > 1; create table $.log (what text); insert into $.log values ('undone');",
};

describe("the plan of an undo", () => {
  test("names what comes back, what goes, the locks and the archive; its hash alone executes", async () => {
    const { rollbackId, schema, name, before } = await rolledBack({
      ...orders,
      down: `${orders.down} create table $.made (i int); insert into $.made values (1), (2);`,
    });
    const plan = undoPlanSchema.parse(await planUndo(belay(), { rollbackId }));
    expect(plan).toMatchObject({ rollbackId, migration: name, canUndo: true, risk: "MEDIUM", conflicts: [] });
    expect(plan.returns.tables).toEqual(["items", "orders"].map((table) => ({ schema, table, rows: 10 })));
    expect(plan.returns.columns).toEqual([{ schema, table: "people", columns: ["age", "name"], rows: 2 }]);
    expect(plan.returns.ledger).toEqual([{ migration: name, status: "rolled_back" }]);
    expect(plan.replaces.tables).toMatchObject([{ schema, table: "made", rows: 2 }]);
    const locks = plan.locks.map(({ relation, mode }) => [relation, mode]);
    expect(locks).toEqual([
      ["people", "ACCESS EXCLUSIVE"],
      ["made", "ACCESS EXCLUSIVE"],
    ]);
    expect(plan.archive).toMatchObject({ problem: null, rows: 22 });
    expect((await planUndo(belay(), { rollbackId })).hash).toBe(plan.hash);
    expect(await refusal(undo(rollbackId, { planHash: "0".repeat(64) }))).toMatchObject({ code: "plan_changed" });
    const report = await undo(rollbackId, { planHash: plan.hash });
    expect(await photograph(database.url)).toMatchObject({ tables: before.tables, sequences: before.sequences });
    const manifest = await readManifest(store, report.archiveId!);
    expect(manifest).toMatchObject({ purpose: "undo", rollbackId: report.rollbackId });
    expect(manifest.tables).toMatchObject([{ schema, table: "made", rows: 2, role: "table" }]);
    const recorded = await run(
      database.url,
      `select purpose, rows::int from belay.archives where id = '${manifest.id}'`,
    );
    expect(recorded).toEqual([{ purpose: "undo", rows: 2 }]);
  });

  test("has no archive of its own where nothing goes, and can be undone by rolling back again", async () => {
    const { rollbackId, name, before } = await rolledBack({ up: "create table $.a (i int);", down: "drop table $.a;" });
    expect((await undo(rollbackId)).archiveId).toBeNull();
    const again = await executeRollback(belay(), { migration: name, reason: "test" });
    const older = await refusal(undo(rollbackId));
    expect(older).toMatchObject({ code: "undo_conflict", message: expect.stringMatching(/undone already/) });
    await undo(again.rollbackId);
    expect(await photograph(database.url)).toEqual(before);
  });

  test("names who holds a lock in the way, and reports every conflict at once", async () => {
    const made = await rolledBack({
      ...rewriting,
      up: `${rewriting.up} create table $.b (i int); create view $.w as select 1 as i;`,
      down: `${rewriting.down} drop table $.b; drop view $.w;`,
    });
    const holder = await openSession(database.url);
    try {
      await made.run(
        "insert into $.t values (9, 'new'); insert into $.log values ('new'); create table $.b (other text); create view $.w as select 2 as j;",
      );
      await holder.run(`begin; lock table ${made.schema}.t in row exclusive mode`);
      const plan = await planUndo(belay(), made);
      expect(plan.blockers).toMatchObject([{ pid: holder.pid, relation: `${made.schema}.t` }]);
      expect(plan.conflicts.map(({ kind, discard }) => [kind, discard])).toEqual([
        ["object_in_the_way", null],
        ["object_in_the_way", null],
        ["rows_changed", `${made.schema}.t`],
        ["rows_changed", `${made.schema}.log`],
      ]);
      const error = await refusal(undo(made.rollbackId));
      expect(error).toMatchObject({ code: "undo_conflict", details: { conflicts: plan.conflicts } });
      expect(error.hint).toContain(`--discard-newer ${made.schema}.log`);
    } finally {
      await holder.close();
    }
  });

  test("a plan whose tables were written to since it was looked at is refused under the locks", async () => {
    const { rollbackId, run: sql } = await rolledBack(rewriting);
    const { hash } = await planUndo(belay(), { rollbackId });
    await sql("update $.t set n = 'other' where id = 3");
    expect(await refusal(undo(rollbackId, { planHash: hash }))).toMatchObject({ code: "plan_changed" });
  });
});

describe("newer rows", () => {
  test("go only when that is asked for, into the archive, and on record", async () => {
    const { rollbackId, before, schema, run: sql } = await rolledBack(rewriting);
    await sql(
      "insert into $.t values (9, 'new'); insert into $.log values ('new'); create index newer on $.log (what)",
    );
    const some = await refusal(undo(rollbackId, { discardNewer: [`${schema}.t`] }));
    expect(some.message).not.toMatch(/rows of s\d+\.t/);
    expect(some.message).toMatch(/rows of s\d+\.log.*|INDEX/);
    const report = await undo(rollbackId, { discardNewer: ["all"] });
    expect(await photograph(database.url)).toEqual(before);
    expect(report.undone?.discarded.toSorted()).toEqual([`${schema}.log`, `${schema}.t`]);
    const { tables, entries } = await readManifest(store, report.archiveId!);
    expect(tables.map(({ table, rows }) => [table, rows]).toSorted()).toEqual([
      ["log", 2],
      ["t", 6],
    ]);
    expect(entries.map(({ key }) => key)).toContain(`INDEX ${schema} newer`);
  });

  test("need a second person where the policy asks for one at risk HIGH", async () => {
    const { rollbackId, run: sql } = await rolledBack(rewriting);
    await sql("delete from $.t where id = 2");
    const strict = { ...soloPolicy, gates: { ...soloPolicy.gates, approved: defaultPolicy.gates.approved } };
    const request = { rollbackId, discardNewer: ["all"], reason: "test" };
    const own = belay({ policy: strict });
    const error = await refusal(undoRollback(own, request));
    expect(error).toMatchObject({ code: "gate_failed", message: expect.stringMatching(/second person/) });
    const { hash, gates } = await planUndo(own, request);
    expect(gates.find(({ name }) => name === "approved")?.next).toContain(`--undo ${rollbackId} --discard-newer all`);
    const subject = "00000000-0000-4000-8000-000000000002";
    const second = testBelay({ database: database.url, store, actor: "second", subject, settings: { policy: strict } });
    await approveUndo(second, { ...request, planHash: hash });
    expect((await undoRollback(own, request)).notes.join()).toContain("approved by second");
  });

  test("in a column that the rollback added are archived by key", async () => {
    const {
      rollbackId,
      schema,
      before,
      run: sql,
    } = await rolledBack({
      base: "create table $.t (id int primary key, a int); insert into $.t values (1, 1), (2, 2);",
      up: "alter table $.t drop column a;",
      down: "alter table $.t add column a int;",
    });
    await sql("update $.t set a = 7 where id = 2");
    expect(await refusal(undo(rollbackId))).toMatchObject({
      message: expect.stringMatching(/column a .* was written since/),
    });
    const report = await undo(rollbackId, { discardNewer: [`${schema}.t`] });
    expect((await photograph(database.url)).tables).toEqual(before.tables);
    const { tables } = await readManifest(store, report.archiveId!);
    expect(tables).toMatchObject([
      { role: "columns", mergesInto: { schema, table: "t", key: ["id"], columns: ["a"] } },
    ]);
  });
});

describe("objects that came since", () => {
  test("a view on a table that goes is named before anything runs", async () => {
    const { rollbackId, run: sql } = await rolledBack(rewriting);
    await sql("create view $.onlog as select * from $.log");
    const error = await refusal(undo(rollbackId, { discardNewer: ["all"] }));
    expect(error).toMatchObject({
      code: "undo_conflict",
      message: expect.stringMatching(/VIEW s\d+ onlog came since/),
    });
  });

  test("what the rollback made and somebody took away since is nothing to undo", async () => {
    const { rollbackId, before, run: sql } = await rolledBack(rewriting);
    await sql("drop table $.log");
    await undo(rollbackId);
    expect(await photograph(database.url)).toEqual(before);
  });
});

describe("the order of several undos", () => {
  test("what the migration needs has to be back first: the rollback to undo is named", async () => {
    const base = await rolledBack({ up: "select 1;", down: "select 1;" });
    await undo(base.rollbackId);
    const first = {
      name: "20260101000000_first",
      up: `create table ${base.schema}.one (id int primary key);`,
      down: `drop table ${base.schema}.one;`,
    };
    const second = {
      name: "20260102000000_second",
      up: `create table ${base.schema}.two (id int references ${base.schema}.one);`,
      down: `drop table ${base.schema}.two;`,
    };
    await apply(database.url, first, second);
    await run(
      database.url,
      `insert into belay.migration_dependencies (migration_name, depends_on, found, why) values ('${second.name}', '${first.name}', 'declared', 'test')`,
    );
    const dependent = await executeRollback(belay(), { migration: second.name, reason: "test" });
    const needed = await executeRollback(belay(), { migration: first.name, reason: "test" });
    const error = await refusal(undo(dependent.rollbackId));
    expect(error).toMatchObject({ code: "undo_conflict" });
    expect(error.message).toContain(
      `${second.name} needs ${first.name}, which is rolled back by rollback ${needed.rollbackId}`,
    );
    expect(error.hint).toContain(`belay undo ${needed.rollbackId}`);
    await undoRollback(belay(), { migration: "latest", reason: "test" });
    await undo(dependent.rollbackId);
  });
});
