import { describe, test } from "vitest";
import { type Change, thereAndBack } from "./undo-support.ts";

const far = `create extension postgres_fdw; create server far type 'x' version '1' foreign data wrapper postgres_fdw options (host 'far.example', port '5433');`;

const cases: readonly Change[] = [
  {
    title: "a server, its mappings and foreign tables",
    base: "create extension postgres_fdw; create table t (id int primary key);",
    up: `create server far foreign data wrapper postgres_fdw options (host 'far.example'); grant usage on foreign server far to pg_monitor;
      comment on server far is 'ours'; alter server far owner to pg_monitor;
      create user mapping for public server far options (user 'guest', password 'it''s');
      create foreign table away (id int options (column_name 'ID') not null, name text default 'x', check (id > 0)) server far options (table_name 'there');
      alter foreign table away owner to pg_monitor; comment on foreign table away is 'far'; grant select (name) on away to public;
      create view over_away as select name from away;`,
    down: "drop view over_away; drop foreign table away; drop user mapping for public server far; drop server far;",
  },
  {
    title: "a wrapper and all that is on it, by CASCADE",
    base: "create table t (id int primary key);",
    up: `create foreign data wrapper own options (debug 'true'); create server far foreign data wrapper own; create user mapping for current_user server far;
      create foreign table away (id int) server far; create materialized view kept as select 1 as one; create function touch() returns trigger language plpgsql as 'begin return new; end';
      create trigger touched before insert on away for each row execute function touch(); alter foreign table away disable trigger touched;`,
    down: "drop foreign data wrapper own cascade; drop materialized view kept; drop function touch();",
  },
  {
    title: "a foreign partition of a table that stays",
    base: `${far} create table split (k int not null, v text) partition by range (k); create table split_here partition of split for values from (0) to (10);
      insert into split select n, 'row ' || n from generate_series(0, 9) n;`,
    up: "create foreign table split_far partition of split (v default 'far') for values from (10) to (20) server far options (table_name 'split');",
    down: "drop foreign table split_far;",
  },
  {
    title: "a column of a foreign table that stays",
    base: `${far} create foreign table away (id int) server far; create view over_away as select id from away; comment on foreign table away is 'far'; comment on view over_away is 'over'; grant select on away to public;`,
    up: "alter foreign table away add column name text options (column_name 'NAME') default 'x' not null;",
    down: "alter foreign table away drop column name;",
  },
  {
    title: "options of a server and a mapping that stay",
    base: `${far} create user mapping for public server far options (user 'guest'); create foreign table away (id int) server far options (table_name 'there');`,
    up: "alter server far version '2' options (set host 'farther.example', drop port, add dbname 'x'); alter user mapping for public server far options (set user 'host', add password 'p'); alter foreign table away options (set table_name 'elsewhere');",
    down: "alter server far version '1' options (set host 'far.example', add port '5433', drop dbname); alter user mapping for public server far options (set user 'guest', drop password); alter foreign table away options (set table_name 'there');",
  },
  {
    title: "publications of every sort",
    base: 'create schema app; create table app.t (id int primary key, name text, secret text); create table app.parts (id int) partition by range (id); create publication stays for table app.t (id); create schema "More (x)";',
    up: `create publication several for table app.t (id, name) where (id > 5), app.parts with (publish = 'insert', publish_via_partition_root = true);
      create publication everything for all tables; create publication of_schema for tables in schema app; alter publication several owner to current_user;
      comment on publication several is 'ours'; alter publication stays set table app.t where (id > 1), tables in schema "More (x)";`,
    down: "drop publication several, everything, of_schema; alter publication stays set table app.t (id), app.parts;",
  },
];

describe("undoing a rollback that dropped foreign data or publications", () => {
  for (const way of ["forward", "entries"] as const)
    describe(way === "forward" ? "by the migration's forward SQL" : "from the stored entries", () => {
      for (const change of cases) test(`puts back ${change.title}`, () => thereAndBack(change, way));
    });
});
