import { expect } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import type { PreserveMode } from "../../shared/rollback/preserve-types.ts";
import { type UndoRequest, undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { apply, photograph, run } from "./helpers.ts";

/** Rollbacks in one database, each in a schema of its own, with one store for all. */
export function rollbacksIn(database: () => TestDatabase) {
  let number = 0;
  const store = createFolderStore(temporaryFolder());
  const belay = (settings = {}) => testBelay({ database: database().url, store, settings });
  /** A migration, `$` in the SQL for its schema, applied and rolled back. */
  const rolledBack = async (sql: { base?: string; up: string; down: string }, preserve?: PreserveMode) => {
    const { url } = database();
    const schema = `s${++number}`;
    const name = `${20250101000000 + number}_${schema}`;
    const own = (text: string) => text.replaceAll("$.", `${schema}.`);
    await run(url, `create schema ${schema}; ${own(sql.base ?? "")}`);
    await apply(url, { name, up: own(sql.up), down: own(sql.down) });
    const before = await photograph(url);
    const report = await executeRollback(belay(), {
      migration: name,
      reason: "test",
      ...(preserve === undefined ? {} : { preserve }),
    });
    return { name, schema, before, rollbackId: report.rollbackId, run: (text: string) => run(url, own(text)) };
  };
  const undo = (rollbackId: string, request: Partial<UndoRequest> = {}) =>
    undoRollback(belay(), { rollbackId, reason: "test", ...request });
  return { store, belay, rolledBack, undo };
}

/** The error with which something is refused. */
export function refusal(work: Promise<unknown>) {
  return work.then(
    () => expect.fail("it was not refused"),
    (error) => error,
  );
}

/** Two tables with all that hangs on them, and columns of a third. */
export const orders = {
  base: "create table $.people (id int primary key); insert into $.people values (1), (2);",
  up: `create table $.orders (id serial primary key, person int references $.people, note text default 'x');
    create table $.items (id int primary key, "order" int references $.orders, twin int references $.items);
    insert into $.orders (person, note) select 1 + n % 2, 'o' || n from generate_series(1, 10) n;
    insert into $.items select n, n, 11 - n from generate_series(1, 10) n;
    create index on $.orders (note); grant select on $.orders to public; comment on table $.orders is 'it''s';
    create function $.f() returns trigger language plpgsql as 'begin return new; end';
    create trigger t before update on $.orders for each row execute function $.f(); alter table $.orders disable trigger t;
    alter table $.orders enable row level security; create policy p on $.orders using (id > 0);
    create view $.v as select id from $.orders;
    alter table $.people add column age int not null default 3, add column name text; update $.people set age = id, name = 'n' || id;`,
  down: `drop view $.v; drop table $.items, $.orders; drop function $.f(); alter table $.people drop column age, drop column name;`,
};
