import { describe, expect, onTestFinished, test } from "vitest";
import { openSession } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, run } from "./helpers.ts";
import { wholeState } from "./undo-support.ts";

const name = "20250103000000_two";
const base = "create table people (id int primary key); insert into people values (1);";
const one = {
  name: "20250102000000_one",
  up: "create table orders (id int primary key, p int references people); insert into orders values (1, 1);",
  down: "drop table orders;",
};
const two = {
  name,
  up: "create table items (id int primary key, o int references orders); insert into items values (1, 1); create view v as select * from items;",
  down: "drop table items cascade;",
};

async function prepared(...pairs: readonly { name: string; up: string; down: string }[]) {
  const database = await createDatabase({ installed: true });
  onTestFinished(() => database.drop());
  await apply(database.url, { name: "20250101000000_base", up: base, down: "" }, ...pairs);
  return { url: database.url, belay: testBelay({ database: database.url }) };
}

describe("quarantine", () => {
  test("of a set of migrations, while others write to a table that stays and to one that is moved", async () => {
    const { url, belay } = await prepared(one, two);
    const before = await wholeState(url);
    const request = { to: "20250101000000_base", preserve: "quarantine", reason: "test" } as const;
    const writer = await openSession(url);
    onTestFinished(() => writer.close());
    const { rollbackId, preserved } = await executeRollback(belay, request, async (moment) => {
      if (moment === "locked" || moment === "archived")
        await writer.run(`insert into people values (${moment === "locked" ? 2 : 3})`);
      if (moment === "archived") await writer.run("insert into orders values (9, 1)");
    });
    expect(preserved).toMatchObject({ schemas: ["belay_kept_20250103000000_1"] });
    expect(await run(url, "select count(*)::int as n from people")).toEqual([{ n: 3 }]);
    await expect(planRollback(belay, { migration: one.name, preserve: "quarantine" })).resolves.toMatchObject({
      canRollBack: false,
    });
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await run(url, "select id from orders order by id")).toEqual([{ id: 1 }, { id: 9 }]);
    await run(url, "delete from orders where id = 9; delete from people where id > 1");
    expect(await wholeState(url)).toEqual(before);
    expect(await run(url, "select conname from pg_constraint where contype = 'f' and not convalidated")).toEqual([]);
  });

  test("rows that a DO block changes are archived whole besides, and undo brings back those of before", async () => {
    const { url, belay } = await prepared({
      ...one,
      down: "do $$ begin execute 'update orders set p = null'; end $$; drop table orders;",
    });
    const before = await wholeState(url);
    const report = await executeRollback(belay, { migration: one.name, preserve: "quarantine", reason: "test" });
    expect(report.tables).toMatchObject([{ table: "orders", rows: 1 }]);
    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });

  test("SQL that touches what another rollback keeps is refused", async () => {
    const enumerated = {
      name: "20250104000000_enum",
      up: "create type mood as enum ('a'); alter table orders add m mood;",
      down: "drop type mood cascade;",
    };
    const { belay, url } = await prepared(one, enumerated);
    await run(
      url,
      "update belay.migration_history set status = 'rolled_back' where migration_name = '20250104000000_enum'",
    );
    await executeRollback(belay, { migration: one.name, preserve: "quarantine", reason: "test" });
    await run(
      url,
      "update belay.migration_history set status = 'applied' where migration_name = '20250104000000_enum'",
    );
    const plan = await planRollback(belay, { migration: enumerated.name });
    expect(plan.blockingReason).toMatch(/orders, which a rollback keeps/);
  });

  test("of an owner who is no superuser, where default privileges would open new schemas", async () => {
    const { url } = await prepared();
    const role = `q_${new URL(url).pathname.slice(1).replaceAll(/\W/g, "_")}`.slice(0, 50);
    await run(
      url,
      `create role ${role} login password 'x'; create role ${role}_app; grant create on database ${new URL(url).pathname.slice(1)} to ${role};
      grant all on schema public, belay to ${role}; grant all on all tables in schema belay to ${role}; grant all on all sequences in schema belay to ${role};
      grant execute on all functions in schema belay to ${role}; grant references, select on people to ${role}; alter role ${role} bypassrls;
      alter default privileges for role ${role} grant usage on schemas to ${role}_app; grant pg_read_all_settings to ${role};`,
    );
    onTestFinished(() =>
      run(url, `drop owned by ${role}; drop owned by ${role}_app; drop role ${role}, ${role}_app`).then(() => {}),
    );
    await apply(url, one);
    await run(url, `alter table orders owner to ${role}; grant select, insert on orders to ${role}_app`);
    const own = new URL(url);
    own.username = role;
    own.password = "x";
    const belay = testBelay({ database: own.href });
    const plan = await planRollback(belay, { migration: one.name, preserve: "quarantine" });
    expect(plan.sql).toContain(`FROM PUBLIC, ${role}_app`);
    const before = await wholeState(url);
    const { rollbackId, preserved } = await executeRollback(belay, {
      migration: one.name,
      preserve: "quarantine",
      reason: "test",
    });
    expect(
      await run(url, `select has_schema_privilege('${role}_app', '${preserved!.schemas[0]}', 'usage') as may`),
    ).toEqual([{ may: false }]);
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });
});
