import { describe, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const base: Pair = {
  name: "20250101000000_base",
  up: `
    create table ledger_lines (id serial primary key, cents int not null, note varchar(40));
    insert into ledger_lines (cents, note) select n, 'line ' || n from generate_series(1, 30) n;
    create table bystander (id int primary key);
    create sequence invoice_numbers start 500;
    select nextval('invoice_numbers'), nextval('invoice_numbers');
    create view lines as select id from ledger_lines;
    create materialized view sums as select sum(cents) from ledger_lines;
    select lo_from_bytea(4711, 'large');`,
  down: "",
};

const name = "20250102000000_change";
const up = "create table extra (id int primary key); insert into extra values (1), (2);";

const hidden: readonly { title: string; down: string; names: RegExp; code?: ErrorCode }[] = [
  {
    title: "a column dropped and added again",
    down: "do $$ begin alter table ledger_lines drop column note; alter table ledger_lines add column note varchar(40); end $$; drop table extra;",
    names: /column note dropped/,
  },
  {
    title: "a function replaced in a DO block",
    down: "do $$ begin execute 'create or replace view lines as select id, cents from ledger_lines'; end $$; drop table extra;",
    names: /lines.*does not name it/,
  },
  {
    title: "a role made in passing",
    down: "do $$ begin execute 'create role belay_test_' || txid_current(); end $$; drop table extra;",
    names: /roles.*cluster/,
  },
  {
    title: "Belay's own records",
    down: "do $$ begin delete from belay.snapshots; end $$; drop table extra;",
    names: /belay\.snapshots/,
  },
  {
    title: "a deferred trigger that writes at COMMIT",
    down: "do $$ begin create function later() returns trigger language plpgsql as 'begin delete from ledger_lines; return null; end'; create table fuse (id int); create constraint trigger later after insert on fuse deferrable initially deferred for each row execute function later(); insert into fuse values (1); end $$; drop table extra;",
    names: /./,
  },
];

describe("a rollback that does more than its plan and archive cover is refused, and nothing changed", () => {
  test.each(hidden)("$title", async ({ down, names }) => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, base, { name, up, down });
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url });
    const failure = await executeRollback(belay, { migration: name, reason: "test" }).catch((error) => error);
    expect(failure).toMatchObject({ code: "guard_loss" });
    expect(failure.message).toMatch(names);
    expect(await photograph(database.url)).toEqual(before);
    expect(await listArchives(belay.store)).toEqual([]);
    const [record] = await run(database.url, "select outcome, error_code from belay.rollbacks");
    expect(record).toEqual({ outcome: "failed", error_code: "guard_loss" });
    expect(await run(database.url, "select 1 from belay.migration_history where status = 'rolled_back'")).toEqual([]);
    await database.drop();
  });
});

const inPlace: readonly { title: string; down: string }[] = [
  { title: "DELETE", down: "delete from ledger_lines where id < 10; drop table extra;" },
  { title: "UPDATE", down: "update ledger_lines set cents = cents * 2; drop table extra;" },
  { title: "TRUNCATE", down: "truncate ledger_lines; drop table extra;" },
  {
    title: "ALTER TYPE",
    down: "drop materialized view sums; alter table ledger_lines alter cents type text; drop table extra;",
  },
];

describe("rows changed in place by a statement that the plan names are archived whole, and undo puts them back", () => {
  test.each(inPlace)("$title", async ({ down }) => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, base, { name, up, down });
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url });
    const report = await executeRollback(belay, { migration: name, reason: "test" });
    expect(report.tables.map(({ table, rows }) => [table, rows])).toEqual(
      expect.arrayContaining([
        ["ledger_lines", 30],
        ["extra", 2],
      ]),
    );
    expect(report.notes.join("\n")).toMatch(/ledger_lines changed in place/);
    expect(report.notes.join("\n")).toMatch(/ran a second time, with a wider archive, because .*ledger_lines/);
    await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("and rows changed since are a conflict that changes nothing", async () => {
    const database = await createDatabase({ installed: true });
    await apply(database.url, base, { name, up, down: inPlace[0]!.down });
    const belay = testBelay({ database: database.url });
    const report = await executeRollback(belay, { migration: name, reason: "test" });
    await run(database.url, "update ledger_lines set note = 'newer' where id = 20");
    const between = await photograph(database.url);
    await expect(undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" })).rejects.toMatchObject({
      code: "undo_conflict",
      message: expect.stringMatching(/ledger_lines changed since/),
    });
    expect(await photograph(database.url)).toEqual(between);
    await database.drop();
  });
});
