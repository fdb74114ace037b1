import { describe, expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { projectOf, type Step } from "../plan/project.ts";
import { photograph, run } from "./helpers.ts";

const base: Step = {
  name: "01_base",
  up: "create table kept (id int primary key); insert into kept values (1);",
  down: "drop table kept;",
};
const users: Step = {
  name: "02_users",
  up: "create table users (id serial primary key, email text not null); insert into users (email) select 'u' || n from generate_series(1, 5) n; alter table kept add column note text; update kept set note = 'n';",
  down: "drop table users;\nalter table kept drop column note;",
};
const inner: Step = {
  name: "03_inner",
  up: "create schema shop; create table shop.orders (id int primary key, u int references users); insert into shop.orders values (1, 1), (2, 2);",
  down: "begin;\nset search_path = shop;\ndrop table orders;\ndrop schema shop;\ncommit;",
  dependsOn: "02_users",
};
const orders: Step = {
  name: "04_orders",
  up: "create table orders (id int primary key); insert into orders values (7); create index users_email on users (email);",
  down: "drop index concurrently users_email;\ndrop table orders;",
};

async function statuses(url: string): Promise<string[]> {
  const rows = await run(url, "select migration_name || ' ' || status as each from belay.migration_history order by 1");
  return rows.map((row) => row.each as string);
}

describe("a set is rolled back as one", () => {
  test("by --to: all go in one transaction, with one archive and one record, and one undo brings all back", async () => {
    const { belay, url } = await projectOf([base, users, inner, orders]);
    const before = await photograph(url);
    const plan = await planRollback(belay, { to: "01" });
    const report = await executeRollback(belay, { to: "01", planHash: plan.hash, reason: "test" });
    expect(report).toMatchObject({
      migration: "04_orders",
      migrations: ["04_orders", "03_inner", "02_users"],
      outcome: "committed",
      endState: "as_before",
    });
    expect(report.tables.map(({ schema, table, rows }) => `${schema}.${table} ${rows}`).sort()).toEqual([
      "public.orders 1",
      "public.users 5",
      "shop.orders 2",
    ]);
    expect(report.columns).toMatchObject([{ table: "kept", columns: ["note"], rows: 1 }]);
    expect(await statuses(url)).toEqual([
      "01_base applied",
      "02_users rolled_back",
      "03_inner rolled_back",
      "04_orders rolled_back",
    ]);
    expect(await run(url, "select count(*)::int as n from belay.rollbacks")).toEqual([{ n: 1 }]);
    const undone = await undoRollback(belay, { migration: "02_users", reason: "test" });
    expect(undone.migrations).toEqual(["02_users", "03_inner", "04_orders"]);
    expect((await statuses(url)).every((each) => each.endsWith(" applied"))).toBe(true);
    expect(await photograph(url)).toEqual(before);
  });

  test("by latest: only the newest goes", async () => {
    const { belay, url } = await projectOf([base, users]);
    const report = await executeRollback(belay, { migration: "latest", reason: "test" });
    expect(report.migrations).toEqual(["02_users"]);
    expect(await statuses(url)).toEqual(["01_base applied", "02_users rolled_back"]);
  });

  test("with one that stays in between: what goes ends as it was before it came, and undo puts it back", async () => {
    const apart: Step = { name: "03_apart", up: "create table apart (id int);", down: "drop table apart;" };
    const { belay, url } = await projectOf([
      base,
      users,
      apart,
      { ...orders, up: "create table orders (id int primary key);", down: "drop table orders;" },
    ]);
    const before = await photograph(url);
    const report = await executeRollback(belay, { migrations: ["02_users", "04_orders"], reason: "test" });
    expect(report.endState).toBe("as_before");
    expect(await statuses(url)).toEqual([
      "01_base applied",
      "02_users rolled_back",
      "03_apart applied",
      "04_orders rolled_back",
    ]);
    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await photograph(url)).toEqual(before);
  });

  test("when the second of two fails, nothing is changed, and the error names that one", async () => {
    const broken = { ...users, down: "drop table users;\nalter table kept drop column note;\nselect 1 / 0;" };
    const { belay, url } = await projectOf([base, broken, inner, orders]);
    const before = await photograph(url);
    await expect(executeRollback(belay, { to: "01_base", reason: "test" })).rejects.toMatchObject({
      code: "sql_failed",
      message: expect.stringContaining("the rollback SQL of 02_users failed: division by zero"),
    });
    expect(await photograph(url)).toEqual(before);
    expect((await statuses(url)).every((each) => each.endsWith(" applied"))).toBe(true);
  });

  test("each migration's VERIFY section is asked as soon as that one is gone", async () => {
    const verified = (step: Step, sql: string): Step => ({
      ...step,
      up: `${step.up}\n-- VERIFY START\n-- ${sql}\n-- VERIFY END`,
    });
    const steps = [
      base,
      verified(users, "select to_regclass('users') is null;"),
      verified(inner, "select count(*) = 5 from users;"),
    ];
    const { belay, url } = await projectOf(steps);
    await executeRollback(belay, { to: "01_base", reason: "test" });
    expect(await statuses(url)).toEqual(["01_base applied", "02_users rolled_back", "03_inner rolled_back"]);
    const wrong = await projectOf([base, users, verified(inner, "select count(*) = 4 from users;")]);
    await expect(executeRollback(wrong.belay, { to: "01_base", reason: "test" })).rejects.toMatchObject({
      code: "end_state_differs",
      message: expect.stringContaining("03_inner"),
    });
  });

  test("an approved set whose ledger moved is a conflict", async () => {
    const { belay, url } = await projectOf([base, users, inner]);
    const { hash } = await planRollback(belay, { to: "01_base" });
    await executeRollback(belay, { migration: "latest", reason: "test" });
    await expect(executeRollback(belay, { to: "01_base", planHash: hash, reason: "test" })).rejects.toMatchObject({
      code: "plan_changed",
    });
    expect(await statuses(url)).toEqual(["01_base applied", "02_users applied", "03_inner rolled_back"]);
  });
});
