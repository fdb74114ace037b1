import { describe, expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import type { Observe } from "../../shared/rollback/execute/types.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const base: Pair = {
  name: "20250101000000_base",
  up: "create table lines (id serial primary key); insert into lines default values; create sequence numbers;",
  down: "",
};
const pair: Pair = {
  name: "20250102000000_notes",
  up: "create table notes (id serial primary key, body text); insert into notes (body) values ('a'), ('b'); create function f() returns int language sql as 'select 1';",
  down: "drop table notes cascade; drop function f();",
};

async function attempt(down: string, at: Parameters<Observe>[0], other: string) {
  const database = await createDatabase({ installed: true });
  await apply(database.url, base, { ...pair, down });
  const belay = testBelay({ database: database.url });
  const observed: { rows?: unknown; error?: Error } = {};
  const result = await executeRollback(belay, { migration: pair.name, reason: "test" }, async (point) => {
    if (point !== at) return;
    await run(database.url, other).then(
      (rows) => (observed.rows = rows),
      (error) => (observed.error = error),
    );
  }).catch((error) => error);
  return { database, belay, result, observed };
}

describe("what others do while the archive is written", () => {
  test("a view hung on a table that goes by CASCADE is not lost: the plan changed", async () => {
    const { database, result } = await attempt(pair.down, "archived", "create view newer as select * from notes");
    expect(result).toMatchObject({ code: "plan_changed", message: expect.stringMatching(/newer/) });
    expect(await run(database.url, "select count(*)::int as rows from newer")).toEqual([{ rows: 2 }]);
    await database.drop();
  });

  test("a function replaced after it was archived is not lost: the plan changed", async () => {
    const other = "create or replace function f() returns int language sql as 'select 2'";
    const { database, result } = await attempt(pair.down, "archived", other);
    expect(result).toMatchObject({ code: "plan_changed", message: expect.stringMatching(/FUNCTION public f\(\)/) });
    expect(await run(database.url, "select f() as f")).toEqual([{ f: 2 }]);
    await database.drop();
  });

  test("a table made elsewhere is not the rollback's: undo leaves it", async () => {
    const other =
      "create table elsewhere (id int primary key); create function g() returns int language sql as 'select 1'; insert into elsewhere values (1)";
    const { database, belay, result } = await attempt(pair.down, "archived", other);
    expect(result).toMatchObject({ outcome: "committed" });
    expect(JSON.stringify(result.objects)).not.toMatch(/elsewhere|FUNCTION public g/);
    await undoRollback(belay, { rollbackId: result.rollbackId, reason: "test" });
    expect(await run(database.url, "select id, g() as g from elsewhere")).toEqual([{ id: 1, g: 1 }]);
    await database.drop();
  });

  test.each(["drop table newer", "delete from newer"])(
    "a table made since is not lost to SQL that hides what it does: %s",
    async (statement) => {
      const down = `do $$ begin if to_regclass('newer') is not null then execute '${statement}'; end if; end $$; ${pair.down}`;
      const other = "create table newer (id int primary key); insert into newer values (1)";
      const { database, result } = await attempt(down, "archived", other);
      expect(result).toMatchObject({ code: "guard_loss", message: expect.stringMatching(/newer: made by others/) });
      expect(await run(database.url, "select id from newer")).toEqual([{ id: 1 }]);
      await database.drop();
    },
  );

  test("no number is drawn from a sequence that goes, after its value was read", async () => {
    const { database, belay, result, observed } = await attempt(
      pair.down,
      "locked",
      "set lock_timeout = '300ms'; select nextval('notes_id_seq')",
    );
    expect(observed.error).toMatchObject({ message: expect.stringMatching(/lock timeout/) });
    const { rollbackId } = result;
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await run(database.url, "select nextval('notes_id_seq')::int as next")).toEqual([{ next: 3 }]);
    await database.drop();
  });

  test("numbers that others drew and stored are not given again after a setval that failed", async () => {
    const down = "select setval('lines_id_seq', 1); select 1 / 0; drop table notes;";
    const { database, result } = await attempt(down, "archived", "insert into lines select from generate_series(1, 5)");
    expect(result).toMatchObject({ code: "sql_failed" });
    await run(database.url, "insert into lines default values");
    expect(await run(database.url, "select max(id)::int as last from lines")).toEqual([{ last: 7 }]);
    await database.drop();
  });

  test("a sequence that stays is drawn from while the archive is written, and undo goes behind no number given", async () => {
    const down = "select setval('numbers', 500); drop table notes; drop function f();";
    const { database, belay, result, observed } = await attempt(
      down,
      "archived",
      "set lock_timeout = '300ms'; select nextval('numbers')::int as n from generate_series(1, 5)",
    );
    expect(observed.error).toBeUndefined();
    expect(result).toMatchObject({ outcome: "committed" });
    const { rollbackId } = result;
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await run(database.url, "select nextval('numbers')::int as next")).toEqual([{ next: 6 }]);
    await database.drop();
  });

  test.each(["alter sequence numbers rename to figures", "alter sequence numbers increment 2"])(
    "numbers drawn before the SQL began are not given again after undo of: %s",
    async (alter) => {
      const down = `${alter}; drop table notes; drop function f();`;
      const other = "select nextval('numbers') from generate_series(1, 5)";
      const { database, belay, result, observed } = await attempt(down, "archived", other);
      expect(observed.error).toBeUndefined();
      await undoRollback(belay, { rollbackId: result.rollbackId, reason: "test" });
      expect(await run(database.url, "select nextval('numbers')::int as next")).toEqual([{ next: 6 }]);
      await database.drop();
    },
  );

  test("numbers drawn since the rollback set a sequence forward are not given again after undo", async () => {
    const down = "select setval('numbers', 500); drop table notes; drop function f();";
    const { database, belay, result } = await attempt(down, "committed", "select nextval('numbers')");
    await undoRollback(belay, { rollbackId: result.rollbackId, reason: "test" });
    expect(await run(database.url, "select nextval('numbers')::int as next")).toEqual([{ next: 502 }]);
    await database.drop();
  });

  test("a rollback of one table leaves the writers of others alone", async () => {
    const { database, result, observed } = await attempt(
      pair.down,
      "sql",
      "set lock_timeout = '300ms'; insert into lines default values returning id",
    );
    expect(result).toMatchObject({ outcome: "committed" });
    expect(observed.error).toBeUndefined();
    expect((await photograph(database.url)).tables["public.lines"]).toMatch(/^2\//);
    await database.drop();
  });
});
