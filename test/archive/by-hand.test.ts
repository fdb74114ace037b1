import { expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { apply, photograph, run } from "../rollback/helpers.ts";
import { testBelay } from "../support/belay.ts";
import { createDebianDatabase, describeWithDebian } from "../support/debian.ts";
import { follow } from "./follow-readme.ts";

const base = `
  create type mood as enum ('calm', 'cross');
  create table people (id int primary key, name text not null);
  create table pairs (a int, "b 'x'" text, primary key (a, "b 'x'"));
  insert into people select n, 'person ' || n from generate_series(1, 40) n;
  insert into pairs select n, 'b' || n from generate_series(1, 20) n;`;

describeWithDebian("an operator with stock pg_restore and psql follows README.txt", () => {
  test.each([
    [
      "whole tables with all that hangs on them",
      `create schema app; create table app.orders (id serial primary key, person int references people, mood mood default 'calm', note text);
       insert into app.orders (person, mood, note) select 1 + n % 40, 'cross', E'tab\\t and \\\\N ' || n from generate_series(1, 500) n;
       create index on app.orders (note); create view app.notes as select id, note from app.orders; grant select on app.notes to public;
       create function app.f() returns trigger language plpgsql as $$ begin return new; end $$;
       create trigger tr before update on app.orders for each row execute function app.f(); alter table app.orders disable trigger tr;
       alter table app.orders enable row level security; create policy p on app.orders using (id > 0);
       create materialized view app.counts as select count(*) as n from app.orders; comment on table app.orders is 'it''s all';`,
      "drop schema app cascade;",
    ],
    [
      "dropped columns, by the merge statement",
      `alter table people add column age int not null default 3, add column mood mood, add column "Höhe, m" numeric(5, 2);
       update people set age = id * 2, mood = case when id % 2 = 0 then 'cross' end::mood, "Höhe, m" = id * 1.5;
       create index people_age on people (age); alter table people add constraint age_positive check (age > 0);
       create view ages as select id, age from people; alter table pairs add column extra jsonb; update pairs set extra = jsonb_build_object('a', a);`,
      `drop view ages; alter table people drop column age, drop column mood, drop column "Höhe, m"; alter table pairs drop column extra;`,
    ],
  ])("%s", async (_, up, down) => {
    const database = await createDebianDatabase();
    const name = "20250102000000_change";
    await apply(database.url, { name: "20250101000000_base", up: base, down: "" }, { name, up, down });
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url });
    const { archiveId } = await executeRollback(belay, {
      migration: name,
      reason: 'it\'s "broken"\nDB=postgres://evil',
    });
    await follow(belay.store.url, archiveId!, database.url);
    const after = await photograph(database.url);
    expect(after.tables).toEqual(before.tables);
    expect(after.sequences).toEqual(before.sequences);
    expect(Object.keys(after.entries).sort()).toEqual(Object.keys(before.entries).sort());
    for (const view of ["app.counts"].filter((view) => up.includes(view)))
      expect(await run(database.url, `select n::int from ${view}`)).toEqual([{ n: 500 }]);
    await database.drop();
  });
});
