import { describe, expect, it } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { photograph, run } from "../rollback/helpers.ts";
import { projectOf } from "./project.ts";

const base = `create type mood as enum ('ok', 'sad');
create table t (id int primary key, n int, m mood default 'ok'); insert into t select g, g from generate_series(1, 50) g;
create table parent (id int); create table child () inherits (parent); insert into child values (1), (2); insert into parent values (3);
create function wicked(int) returns boolean language sql as 'select true';
create sequence s; create materialized view v as select count(*) as rows from t;`;

const cases: readonly (readonly [sql: string, verb: string, rows: number | null])[] = [
  ["delete from t where id > 40", "delete", 10],
  ["delete from t", "delete", 50],
  ["delete from t as x where x.id between 1 and 3 or x.n is null", "delete", 3],
  ["update t set n = (select max(id) from t where id < 5) where (id in (1, 2, 3)) returning id", "update", 3],
  ["delete from only parent", "delete", 1],
  ["delete from parent", "delete", 3],
  ["truncate t", "truncate", 50],
  ["insert into t values (101, 1), (102, 2)", "insert", 2],
  ["insert into t select 1000 + g from generate_series(1, 3) g", "insert", null],
  ["delete from t where wicked(id)", "delete", null],
  ["delete from t where id in (select id from parent)", "delete", null],
  ["delete from t using parent where t.id = parent.id", "delete", null],
  ["delete from t where m = 'sad'::mood", "delete", null],
  ["merge into t using parent p on t.id = p.id when matched then delete", "merge", null],
];

describe("statements that write rows", () => {
  it("say which table, and how many rows they reach where that is cheap and harmless to tell", async () => {
    const down = cases.map(([sql]) => `${sql};`).join("\n");
    const { belay } = await projectOf([
      { name: "01_base", up: base, down: "select 1;" },
      { name: "02_data", up: "select 1;", down },
    ]);
    const { effect, riskReasons } = await planRollback(belay, { migration: "02_data" });
    expect(effect.writes.map(({ verb, rows }, at) => [cases[at]![0], verb, rows])).toEqual(cases);
    expect(effect.writes[0]).toMatchObject({
      migration: "02_data",
      line: expect.any(Number),
      schema: "public",
      table: "t",
    });
    expect(riskReasons[0]).toMatch(/rows of public\.t, public\.parent are deleted/);
  });

  it("in a query's WITH are seen too", async () => {
    const down = "with gone as (delete from t where id = 1 returning *) select id from gone;";
    const { belay } = await projectOf([
      { name: "01_base", up: base, down: "select 1;" },
      { name: "02_data", up: "select 1;", down },
    ]);
    const { effect } = await planRollback(belay, { migration: "02_data" });
    expect(effect.writes).toMatchObject([{ verb: "delete", table: "t", rows: null }]);
    expect(effect.opaque).toHaveLength(1);
  });
});

describe("what only rewrites or sets a value", () => {
  it("is rolled back, and undone with the sequence as it was", async () => {
    const data = {
      name: "02_data",
      up: "insert into t values (51, 1); refresh materialized view v; select setval('s', 40);",
      down: "delete from t where id = 51;\nrefresh materialized view v;\nselect setval('public.s', 3);\nanalyze t;",
    };
    const { belay, url } = await projectOf([{ name: "01_base", up: base, down: "select 1;" }, data]);
    const before = await photograph(url);
    const plan = await planRollback(belay, { migration: "02_data" });
    expect(plan.effect.sequences).toMatchObject([{ name: "s", lastValue: "40" }]);
    expect(plan.gates.filter((gate) => gate.blocking)).toEqual([]);
    const report = await executeRollback(belay, { migration: "02_data", reason: "test" });
    expect(await run(url, "select rows::int as rows, (select last_value::int from s) as s from v")).toEqual([
      { rows: 50, s: 3 },
    ]);
    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await photograph(url)).toEqual(before);
  });
});
