import { describe, expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, run } from "./helpers.ts";
import { type Change, thereAndBack } from "./undo-support.ts";

/** Shapes of published migrations, reduced. */
const cases: Change[] = [
  {
    title: "a default that reads a sequence which the rollback drops",
    base: "create table a (id bigint primary key); insert into a values (7)",
    up: "create sequence a_seq start 8; alter table a alter column id set default nextval('a_seq')",
    down: "alter table a alter column id drop default; drop sequence a_seq",
  },
  {
    title: "a column of a type which the rollback drops",
    base: "create table a (id int primary key); insert into a values (1), (2)",
    up: "create type mood as enum ('sad', 'glad'); alter table a add m mood default 'glad' not null",
    down: "alter table a drop m; drop type mood",
  },
  {
    title: "columns that the rollback adds, with and without a default",
    base: "create table a (id int primary key, old text, state text default 'new'); insert into a values (1)",
    up: "alter table a drop old, drop state; create table b (id int)",
    down: "drop table b; alter table a add old text, add state text default 'new'",
  },
  {
    title: "a column of a type which the rollback makes",
    base: "create type mood as enum ('sad', 'glad'); create table a (id int primary key, m mood default 'sad'); insert into a values (1)",
    up: "alter table a drop m; drop type mood; create table b (id int)",
    down: "drop table b; create type mood as enum ('sad', 'glad'); alter table a add m mood default 'sad'",
  },
  {
    title: "a table with its sequence that the rollback makes, and a foreign key to it from a table that stays",
    base: "create table a (id int primary key, b_id int, c_id int); insert into a values (1, 2, 3)",
    up: "alter table a drop b_id; create table c (id int primary key); insert into c values (3); alter table a add foreign key (c_id) references c",
    down: `create table b (id int primary key, a_id int references a);
           create sequence b_id_seq owned by b.id; alter table b alter column id set default nextval('b_id_seq');
           alter table a drop constraint a_c_id_fkey, add b_id int references b; drop table c`,
    only: "entries",
  },
  {
    title: "a table that the rollback makes with a default from a sequence of its own",
    base: "create table a (id int)",
    up: "insert into a values (1)",
    down: "delete from a; create sequence s; create table b (id int default nextval('s'))",
    only: "entries",
  },
  {
    title: "a view that gets columns back in the middle, with a grant, a comment and a view on top of it",
    base: `create table a (id int primary key, x text, y text); insert into a values (1, 'x', 'y');
           create view v as select id, y from a; grant select on v to public; comment on view v is 'looks';
           create view w as select * from v`,
    up: `drop view w; drop view v; create view v as select id, x, y from a; grant select on v to public;
         comment on view v is 'looks'; create view w as select id, y from v`,
    down: `drop view w; drop view v; create view v as select id, y from a; grant select on v to public;
           comment on view v is 'looks'; create view w as select id, y from v`,
  },
  {
    title: "a view over a column that the rollback adds",
    base: "create table a (id int primary key, x text); insert into a values (1); create view v as select id, x from a",
    up: "drop view v; alter table a drop x; create view v as select id from a",
    down: "drop view v; alter table a add x text; create view v as select id, x from a",
  },
  {
    title: "a column that comes and goes under one name, with another type",
    base: "create table a (id int primary key, x text, c jsonb); insert into a values (1, 'x', '[1]'), (2, null, null)",
    up: "alter table a drop c, drop x, add c text[]; update a set c = array['u']",
    down: "alter table a drop c, add c jsonb, add x text",
  },
  {
    title: "a trigger with its function that the rollback makes on a table that stays",
    base: "create table a (id int primary key, n int); insert into a values (1, 1)",
    up: "alter table a drop n; create table b (id int)",
    down: `drop table b; alter table a add n int;
           create function f() returns trigger language plpgsql as $$ begin new.n := 1; return new; end $$;
           create trigger t before update on a for each row execute function f()`,
    only: "entries",
  },
  {
    title: "rows that a DELETE took along through foreign keys",
    base: `create table a (id int primary key);
           create table b (id int primary key, a_id int references a on delete cascade);
           create table c (id int primary key, b_id int references b on delete cascade, a_id int references a on delete set null);
           insert into a values (1), (2); insert into b values (1, 1), (2, 2); insert into c values (1, 1, 2), (2, null, 1)`,
    up: "insert into a values (3)",
    down: "delete from a where id in (1, 3)",
  },
];

describe("undone by the migration's forward SQL first", () => {
  test.each(cases)("$title", (change) => thereAndBack(change, "forward"));
});

describe("undone from the stored entries", () => {
  test.each(cases)("$title", (change) => thereAndBack(change, "entries"));
});

test("a value that was written into a column which the rollback added is a conflict", async () => {
  const database = await createDatabase();
  const pair = {
    name: "20250102000000_change",
    up: "alter table a drop state",
    down: "alter table a add state text default 'new'",
  };
  const base = "create table a (id int primary key, state text default 'new'); insert into a values (1)";
  await apply(database.url, { name: "20250101000000_base", up: base, down: "" }, pair);
  const belay = testBelay({ database: database.url });
  const { rollbackId } = await executeRollback(belay, { migration: pair.name, reason: "test" });
  await run(database.url, "insert into a values (2); update a set state = 'done' where id = 1");
  await expect(undoRollback(belay, { rollbackId, reason: "test" })).rejects.toMatchObject({
    code: "undo_conflict",
    message: expect.stringContaining("column state of public.a"),
  });
  await run(database.url, "update a set state = 'new'");
  await undoRollback(belay, { rollbackId, reason: "test" });
  expect(await run(database.url, "select * from a order by id")).toEqual([{ id: 1 }, { id: 2 }]);
  await database.drop();
});
