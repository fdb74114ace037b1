import { describe, test } from "vitest";
import { type Change, thereAndBack, thereAndBackTwice } from "./undo-support.ts";

const money = `
  create type money_of; create function money_in(cstring) returns money_of language internal immutable strict as 'int4in';
  create function money_out(money_of) returns cstring language internal immutable strict as 'int4out';
  create type money_of (input = money_in, output = money_out, like = int4); alter type money_of owner to pg_monitor;
  create function money_lt(money_of, money_of) returns boolean language internal immutable strict as 'int4lt';
  create function money_eq(money_of, money_of) returns boolean language internal immutable strict as 'int4eq';
  create function money_gt(money_of, money_of) returns boolean language internal immutable strict as 'int4gt';
  create function money_cmp(money_of, money_of) returns int language internal immutable strict as 'btint4cmp';
  create operator < (leftarg = money_of, rightarg = money_of, function = money_lt, commutator = >);
  create operator > (leftarg = money_of, rightarg = money_of, function = money_gt, commutator = <);
  create operator = (leftarg = money_of, rightarg = money_of, function = money_eq, commutator = =, merges);
  create operator class money_ops default for type money_of using btree as operator 1 <, operator 3 =, operator 5 >, function 1 money_cmp(money_of, money_of);
  alter operator class money_ops using btree owner to pg_monitor; alter operator < (money_of, money_of) owner to pg_monitor;
  comment on operator > (money_of, money_of) is 'greater';`;

const cases: readonly Change[] = [
  {
    title: "a text search configuration, a cast and an operator",
    base: "create type mood as enum ('sad', 'ok'); create table t (id int primary key, body text);",
    up: `create text search dictionary plain (template = simple, stopwords = english);
      create text search configuration words (copy = english); alter text search configuration words alter mapping for asciiword with plain, english_stem;
      alter text search configuration words owner to pg_monitor; comment on text search configuration words is 'ours';
      create function mood_rank(mood) returns int language sql immutable as $$ select case $1 when 'ok' then 1 else 0 end $$;
      create cast (mood as int) with function mood_rank(mood) as assignment; comment on cast (mood as int) is 'rank';
      create function happier(mood, mood) returns boolean language sql immutable as $$ select mood_rank($1) > mood_rank($2) $$;
      create operator >>> (leftarg = mood, rightarg = mood, function = happier, commutator = <<<);
      create operator <<< (leftarg = mood, rightarg = mood, function = happier, commutator = >>>);
      create operator !!! (rightarg = mood, function = mood_rank);
      create view happy as select 'ok'::mood >>> 'sad'::mood as yes;`,
    down: `drop view happy; drop operator >>> (mood, mood); drop operator <<< (mood, mood); drop operator !!! (none, mood); drop function happier(mood, mood);
      drop cast (mood as int); drop function mood_rank(mood); drop text search configuration words; drop text search dictionary plain;`,
  },
  {
    title: "a generated column by a text search configuration, on a table that stays",
    base: "create table t (id int primary key, body text); insert into t select n, 'the word ' || n from generate_series(1, 20) n;",
    up: `create text search configuration words (copy = english);
      alter table t add column found tsvector generated always as (to_tsvector('public.words'::regconfig, body)) stored; create index on t using gin (found);`,
    down: "alter table t drop column found; drop text search configuration words;",
  },
  {
    title: "a stored generated column with its function and type, on a partitioned table and on one with children",
    base: `create table logs (id int, day date) partition by range (day); create table logs_a partition of logs for values from ('2025-01-01') to ('2026-01-01');
      insert into logs select n, date '2025-01-01' + n from generate_series(1, 9) n;
      create table animals (id int); create table dogs (breed text) inherits (animals); insert into animals values (1); insert into dogs values (2, 'pug');`,
    up: `create type size as enum ('small', 'large'); create function size_of(int) returns size language sql immutable as $$ select case when $1 > 5 then 'large' else 'small' end::public.size $$;
      alter table logs add column size size not null generated always as (size_of(id)) stored; alter table animals add column size size generated always as (size_of(id)) stored;`,
    down: "alter table logs drop column size; alter table animals drop column size; drop function size_of(int); drop type size;",
  },
  {
    title: "a base type with its operators, class and table",
    up: `${money} create table paid (amount money_of primary key, other money_of check (other > '0')); insert into paid select n::text::money_of, '5' from generate_series(1, 9) n;`,
    down: "drop table paid; drop type money_of cascade;",
  },
  {
    title: "a column of a base type on a table that stays",
    base: "create table t (id int primary key); insert into t select generate_series(1, 9);",
    up: `${money} alter table t add column amount money_of default '7'; update t set amount = '3' where id = 2; create index on t (amount);`,
    down: "alter table t drop column amount; drop type money_of cascade;",
  },
  {
    title: "a range with a canonical function and a collation of its own",
    up: `create type steps; create function steps_canonical(steps) returns steps language internal immutable strict as 'int4range_canonical';
      create type steps as range (subtype = int4, canonical = steps_canonical); create table walked (way steps); insert into walked values ('[1,5]');
      create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); alter collation nocase owner to pg_monitor;
      create table names (name text collate nocase unique); insert into names values ('A');`,
    down: "drop table walked; drop type steps cascade; drop table names; drop collation nocase;",
  },
  {
    title: "a language with a transform, an access method and a conversion",
    base: "create function handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';",
    up: `create trusted language plown handler handler; alter language plown owner to pg_monitor; comment on language plown is 'ours'; revoke usage on language plown from public;
      create function in_own() returns int language plown as $$ begin return 1; end $$;
      create function from_int(internal) returns internal language internal immutable as 'prsd_lextype';
      create transform for int language plown (from sql with function from_int(internal));
      create access method "Own Heap" type table handler heap_tableam_handler;
      create conversion latin for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8; alter conversion latin owner to pg_monitor;`,
    down: `drop conversion latin; drop access method "Own Heap"; drop transform for int language plown; drop function from_int(internal); drop function in_own(); drop language plown;`,
  },
  {
    title: "a table with an access method of its own, which stays",
    base: `create access method "Own Heap" type table handler heap_tableam_handler;`,
    up: `create table kept (id int) using "Own Heap"; insert into kept values (1); create table usual (id int) using heap; insert into usual values (2);
      create materialized view seen using "Own Heap" as select id from usual;`,
    down: "drop table kept; drop table usual cascade;",
  },
  {
    title: "the owners of operators, types, collations and text search that others use",
    base: `create schema code; set search_path = code, public; ${money} create table paid (amount money_of primary key);
      create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); create table names (name text collate nocase unique);
      create text search configuration words (copy = english); create index on names using gin (to_tsvector('code.words'::regconfig, name)); reset search_path;`,
    up: `alter type code.money_of owner to pg_read_all_data; alter operator code.< (code.money_of, code.money_of) owner to postgres; alter collation code.nocase owner to pg_monitor;
      alter text search configuration code.words owner to pg_monitor; alter table code.paid owner to pg_monitor;`,
    down: `alter type code.money_of owner to pg_monitor; alter operator code.< (code.money_of, code.money_of) owner to pg_monitor; alter collation code.nocase owner to postgres;
      alter text search configuration code.words owner to postgres; alter table code.paid owner to postgres;`,
  },
  {
    title: "changed attributes of a composite type that a function takes",
    base: `create type pair as (a int, "B b" text collate "C", c int); create function sum_of(pair) returns int language sql as $$ select ($1).a::int $$;`,
    up: `drop function sum_of(pair); drop type pair; create type pair as (a numeric, "B b" varchar(3), d text[]);
      create function sum_of(pair) returns int language sql as $$ select ($1).a::int $$;`,
    down: `drop function sum_of(pair); drop type pair; create type pair as (a int, "B b" text collate "C", c int);
      create function sum_of(pair) returns int language sql as $$ select ($1).a::int $$;`,
  },
  {
    title: "a schema of all these, by CASCADE",
    up: `create schema code; set search_path = code, public; ${money} create table paid (amount money_of primary key);
      create text search parser splits (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
      create text search configuration words (parser = splits); alter text search configuration words add mapping for word with simple;
      create operator family loose using hash; create cast (money_of as int) without function; insert into paid values ('4'); reset search_path;`,
    down: "drop schema code cascade;",
  },
];

const unqualified = {
  title: "a stored generated column whose function names its type without a schema",
  base: "create table t (id int primary key); insert into t select generate_series(1, 9);",
  up: `create type size as enum ('small', 'large'); create function size_of(int) returns size language sql immutable as $$ select 'large'::size $$;
    alter table t add column size size generated always as (size_of(id)) stored;`,
  down: "alter table t drop column size; drop function size_of(int); drop type size;",
} satisfies Change;

describe("undoing a rollback that dropped code-like objects", () => {
  describe("by the migration's forward SQL, and from the stored entries", () => {
    for (const change of cases) test(`puts back ${change.title}`, () => thereAndBackTwice(change));
  });

  test(`puts back ${unqualified.title}, under the database's search_path`, () =>
    thereAndBack({ ...unqualified, only: "entries in path" }, "entries"));
});
