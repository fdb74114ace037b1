/** SQL before, rollback SQL, and what the case is about. */
export interface EffectCase {
  readonly name: string;
  readonly setup: string;
  readonly rollback: string;
}

const shop = `
  create table customers (id bigint generated always as identity primary key, email text not null unique, note text);
  create table orders (id serial primary key, customer_id bigint not null references customers, total numeric not null check (total >= 0));
  create index orders_total on orders (total);
  create view open_orders as select o.id, c.email from orders o join customers c on c.id = o.customer_id;
  create function touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touch_orders before update on orders for each row execute function touch();
  alter table orders enable row level security;
  create policy own on orders using (customer_id = 1);
  comment on table orders is 'what was sold';
  comment on column orders.total is 'in euro';
  grant select on orders to public;
`;

const code = `
  create type mood as enum ('sad', 'ok'); create table felt (what mood);
  create function rank(mood) returns int language sql immutable as 'select 1';
  create cast (mood as int) with function rank(mood); comment on cast (mood as int) is 'rank';
  create function happier(mood, mood) returns boolean language sql immutable as 'select true';
  create operator >>> (leftarg = mood, rightarg = mood, function = happier); create operator !!! (rightarg = mood, function = rank);
  comment on operator >>> (mood, mood) is 'happier'; create view happy as select what >>> 'sad' as yes from felt;
  create function compare(mood, mood) returns int language sql immutable as 'select 0';
  create operator class moods for type mood using btree as operator 1 >>>, function 1 compare(mood, mood);
  create index felt_what on felt (what moods);
  create type amount; create function amount_in(cstring) returns amount language internal immutable strict as 'int4in';
  create function amount_out(amount) returns cstring language internal immutable strict as 'int4out';
  create type amount (input = amount_in, output = amount_out, like = int4); create table paid (n int, much amount);
  create text search dictionary plain (template = simple); create text search configuration words (copy = english);
  alter text search configuration words alter mapping for asciiword with plain, english_stem;
  create table notes (body text, found tsvector generated always as (to_tsvector('public.words'::regconfig, body)) stored);
  create collation own from "C"; create table sorted (a text collate own, b int); create conversion latin for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
  create function from_int(internal) returns internal language internal immutable as 'prsd_lextype';
  create transform for int language sql (from sql with function from_int(internal)); create access method kept type table handler heap_tableam_handler;
  create language twin handler plpgsql_call_handler; create function in_twin() returns int language twin as 'begin return 1; end';
`;

/** Each rollback runs for real in a transaction; what it destroyed must be what was told before. */
export const effectCases: readonly EffectCase[] = [
  {
    name: "a table with index, trigger, policy, comments and grants",
    setup: shop,
    rollback: "drop view open_orders; drop table orders",
  },
  {
    name: "a cast, operators, an operator class, a transform and a conversion, each by its own DROP",
    setup: code,
    rollback: `drop view happy; drop index felt_what; drop operator class moods using btree; drop operator family moods using btree;
      drop operator >>> (mood, mood); drop operator !!! (none, mood); drop cast (mood as int); drop transform for int language sql; drop conversion latin; drop access method kept`,
  },
  {
    name: "a function behind a cast and an operator, with CASCADE",
    setup: code,
    rollback: "drop function rank(mood) cascade",
  },
  {
    name: "an operator with CASCADE over a view, a class and an index",
    setup: code,
    rollback: "drop operator >>> (mood, mood) cascade",
  },
  {
    name: "a base type with CASCADE over its functions and a column",
    setup: code,
    rollback: "drop type amount cascade",
  },
  { name: "an enum type with CASCADE over a cast and operators", setup: code, rollback: "drop type mood cascade" },
  {
    name: "text search with CASCADE over a generated column",
    setup: code,
    rollback: "drop text search configuration words cascade; drop text search dictionary plain",
  },
  { name: "a collation with CASCADE over a column", setup: code, rollback: "drop collation own cascade" },
  { name: "a language with CASCADE over a function", setup: code, rollback: "drop language twin cascade" },
  { name: "a table with CASCADE over a view and a foreign key", setup: shop, rollback: "drop table customers cascade" },
  { name: "several tables in one DROP", setup: shop, rollback: "drop view open_orders; drop table customers, orders" },
  { name: "a column with its check, index and comment", setup: shop, rollback: "alter table orders drop column total" },
  {
    name: "a column that a view uses, with CASCADE",
    setup: shop,
    rollback: "alter table customers drop column email cascade",
  },
  { name: "a trigger function with CASCADE", setup: shop, rollback: "drop function touch() cascade" },
  {
    name: "a trigger, a policy and row-level security",
    setup: shop,
    rollback:
      "drop trigger touch_orders on orders; drop policy own on orders; alter table orders disable row level security",
  },
  {
    name: "a foreign key and a check",
    setup: shop,
    rollback: "alter table orders drop constraint orders_customer_id_fkey, drop constraint orders_total_check",
  },
  {
    name: "a primary key with CASCADE over foreign keys",
    setup: shop,
    rollback: "alter table customers drop constraint customers_pkey cascade",
  },
  { name: "a unique constraint", setup: shop, rollback: "alter table customers drop constraint customers_email_key" },
  { name: "an index", setup: shop, rollback: "drop index if exists orders_total, not_there" },
  {
    name: "an enum with CASCADE takes columns",
    setup: `create type mood as enum ('sad', 'glad'); create table people (id int primary key, now mood, then_ mood[]); create view moods as select now from people;`,
    rollback: "drop type mood cascade",
  },
  {
    name: "a domain with CASCADE takes columns",
    setup: `create domain positive as int check (value > 0); create table n (id int, p positive default 1);`,
    rollback: "drop domain positive cascade",
  },
  {
    name: "a composite type and a function that takes it",
    setup: `create type pair as (a int, b int); create function f(pair) returns int language sql as 'select 1';`,
    rollback: "drop type pair cascade",
  },
  {
    name: "function overloads by argument types",
    setup: `create function f(int) returns int language sql as 'select 1'; create function f(text) returns int language sql as 'select 2'; create function f(int[]) returns int language sql as 'select 3'; create function g(a int, out b text) language sql as $$select 'x'$$;`,
    rollback: "drop function f(text); drop function f(int[]); drop function g(int)",
  },
  {
    name: "a procedure and an aggregate",
    setup: `create procedure p(in a int) language sql as 'select 1'; create function add(int, int) returns int language sql as 'select $1 + $2'; create aggregate total(int) (sfunc = add, stype = int);`,
    rollback: "drop procedure p; drop aggregate total(int); drop function add",
  },
  {
    name: "a schema with CASCADE",
    setup: `create schema s; create table s.t (id serial primary key); create function s.f() returns int language sql as 'select 1'; create type s.e as enum ('a'); create table outside (e s.e, id int);`,
    rollback: "drop schema s cascade",
  },
  {
    name: "a partitioned table",
    setup: `create table ev (id bigint, at date not null, primary key (id, at)) partition by range (at); create table ev1 partition of ev for values from ('2020-01-01') to ('2021-01-01'); create table ev2 partition of ev default; create index ev_at on ev (at);`,
    rollback: "drop table ev",
  },
  {
    name: "one partition",
    setup: `create table ev (id bigint, at date not null, primary key (id, at)) partition by range (at); create table ev1 partition of ev for values from ('2020-01-01') to ('2021-01-01'); create index ev_at on ev (at);`,
    rollback: "drop table ev1",
  },
  {
    name: "an index of a partitioned table",
    setup: `create table ev (id bigint, at date not null) partition by range (at); create table ev1 partition of ev for values from ('2020-01-01') to ('2021-01-01'); create index ev_at on ev (at);`,
    rollback: "drop index ev_at",
  },
  {
    name: "a column of a partitioned table",
    setup: `create table ev (id bigint, at date not null, note text) partition by range (at); create table ev1 partition of ev default; create index ev_note on ev (note);`,
    rollback: "alter table ev drop column note",
  },
  {
    name: "an inherited table and column",
    setup: `create table base (id int, note text check (note <> '')); create table child (more int) inherits (base);`,
    rollback: "alter table base drop column note; drop table base cascade",
  },
  {
    name: "a detached partition",
    setup: `create table ev (id bigint) partition by range (id); create table ev1 partition of ev default;`,
    rollback: "alter table ev detach partition ev1",
  },
  {
    name: "identity and serial sequences",
    setup: `create table t (id int generated by default as identity, n serial);`,
    rollback:
      "alter table t alter column id drop identity; alter table t alter column n drop default; drop sequence t_n_seq",
  },
  {
    name: "a sequence with CASCADE takes the default",
    setup: `create table t (id int, n serial); create sequence alone;`,
    rollback: "drop sequence t_n_seq cascade; drop sequence alone",
  },
  {
    name: "a generated column's base",
    setup: `create table t (id int, a int, b int generated always as (a * 2) stored);`,
    rollback: "alter table t drop column a cascade",
  },
  {
    name: "a view over views",
    setup: `create table t (id int); create view v1 as select * from t; create view v2 as select * from v1; create materialized view m as select * from v2; create index m_id on m (id);`,
    rollback: "drop view v1 cascade",
  },
  {
    name: "a materialised view",
    setup: `create table t (id int); create materialized view m as select * from t; create unique index m_id on m (id);`,
    rollback: "drop materialized view m",
  },
  {
    name: "a rule",
    setup: `create table t (id int); create table log (id int); create rule r as on insert to t do also insert into log values (new.id);`,
    rollback: "drop table log cascade",
  },
  {
    name: "extended statistics",
    setup: `create table t (a int, b int); create statistics st on a, b from t; create statistics st2 on a, b from t;`,
    rollback: "drop statistics st; alter table t drop column b",
  },
  {
    name: "quoted and mixed-case names",
    setup: `create schema "Ödd"; create table "Ödd"."T able" ("Id" int primary key, "va lue" text); create index "I x" on "Ödd"."T able" ("va lue"); create table keep ("Id" int);`,
    rollback: `alter table "Ödd"."T able" drop column "va lue"; drop table "Ödd"."T able"; drop table if exists "Keep"`,
  },
  {
    name: "names found through SET search_path",
    setup: `create schema a; create schema b; create table a.t (id int); create table b.t (id int); create table b.u (id int); create table t (id int);`,
    rollback: "set search_path = a, b; drop table t; drop table u; set search_path to public; drop table t",
  },
  {
    name: "created and dropped again",
    setup: `create table t (id int);`,
    rollback:
      "create table tmp (id serial primary key); create index on tmp (id); drop table tmp; drop table if exists tmp",
  },
  {
    name: "renamed and then dropped",
    setup: `create table t (id int primary key); create table u (id int);`,
    rollback: "alter table t rename to old_t; alter table u rename to t; drop table old_t",
  },
  {
    name: "a renamed table with its parts",
    setup: `create table t (id serial primary key, n int check (n > 0)); create index t_n on t (n); comment on table t is 'x'; create view v as select n from t;`,
    rollback: "alter table t rename to t2",
  },
  {
    name: "a renamed column",
    setup: `create table t (id int primary key, n int); create view v as select n from t; comment on column t.n is 'x';`,
    rollback: "alter table t rename column n to m",
  },
  {
    name: "a table moved to another schema",
    setup: `create schema s; create table t (id serial primary key, n int); create index t_n on t (n);`,
    rollback: "alter table t set schema s",
  },
  {
    name: "a table moved out of a schema that goes",
    setup: `create schema app; create table app.t (id serial primary key, n int check (n > 0)); create index t_n on app.t (n); comment on table app.t is 'x'; create table app.other (id int);`,
    rollback: "alter table app.t set schema public; drop table app.other; drop schema app",
  },
  {
    name: "all kinds of objects moved out of a schema that goes",
    setup: `create schema app; create type app.mood as enum ('a'); create type app.pair as (a int, m app.mood[]); create domain app.d as int check (value > 0);
      create function app.f(app.mood) returns int language sql as 'select 1'; create sequence app.s; create view app.v as select 1 as a;
      create materialized view app.m as select 1 as a; create aggregate app.agg (int) (sfunc = int4pl, stype = int);
      create collation app.c from "C"; create text search configuration app.tc (copy = simple); create table app.t (id int generated always as identity, a int, b int); create statistics app.st on a, b from app.t;`,
    rollback: `alter type app.mood set schema public; alter type app.pair set schema public; alter domain app.d set schema public; alter function app.f set schema public; alter sequence app.s set schema public; alter view app.v set schema public;
      alter materialized view app.m set schema public; alter aggregate app.agg(int) set schema public; alter collation app.c set schema public; alter text search configuration app.tc set schema public; alter table app.t set schema public; alter statistics app.st set schema public; drop schema app`,
  },
  {
    name: "a table moved into a schema that goes with all that it holds",
    setup: `create schema app; create schema attic; create table app.t (id serial primary key); create view v as select id from app.t;`,
    rollback: "alter table app.t set schema attic; drop schema attic cascade",
  },
  {
    name: "a table moved into a schema that the SQL makes",
    setup: `create table t (id serial primary key);`,
    rollback: "create schema attic; alter table t set schema attic; drop schema attic cascade",
  },
  {
    name: "an extension moved out of a schema that goes",
    setup: `create schema app; create extension citext schema app; create table t (c app.citext);`,
    rollback: "alter extension citext set schema public; drop schema app",
  },
  {
    name: "a replaced function and view",
    setup: `create function f() returns int language sql as 'select 1'; create view v as select 1 as a;`,
    rollback:
      "create or replace function f() returns int language sql as 'select 2'; create or replace view v as select 1 as a, 2 as b; create function g() returns int language sql as 'select 1'",
  },
  {
    name: "dropped and made again",
    setup: `create table t (id int); create view v as select id from t; create index i on t (id);`,
    rollback: "drop view v; create view v as select id + 1 as id from t; drop index i; create index i on t (id desc)",
  },
  {
    name: "defaults, NOT NULL and types",
    setup: `create table t (id int not null default 1, n int, v varchar(10) default 'x');`,
    rollback:
      "alter table t alter column id drop default, alter column id drop not null, alter column n set not null, alter column n set default 3, alter column v type text",
  },
  {
    name: "comments and grants",
    setup: `create table t (id int); comment on table t is 'a'; grant select on t to public; create function f() returns int language sql as 'select 1'; comment on function f() is 'x';`,
    rollback:
      "comment on table t is null; comment on function f() is 'y'; revoke select on t from public; grant insert on t to public",
  },
  {
    name: "default privileges",
    setup: `create schema app; alter default privileges in schema app grant select on tables to public; alter default privileges grant usage on schemas to pg_monitor;
      alter default privileges for role pg_monitor grant select, usage on sequences to public; alter default privileges in schema public grant execute on functions to pg_monitor;`,
    rollback: `alter default privileges in schema app revoke select on tables from public; alter default privileges grant create on schemas to pg_monitor;
      alter default privileges for role pg_monitor revoke usage on sequences from public; alter default privileges revoke execute on routines from public;
      alter default privileges for user pg_monitor in schema app grant usage on types to public; set role pg_monitor; alter default privileges grant select on tables to public; reset role;
      create schema fresh; alter default privileges for role current_user in schema fresh, public grant select on tables to pg_monitor; drop schema fresh`,
  },
  {
    name: "default privileges of a schema that is renamed, and of one that goes",
    setup: `create schema app; create schema attic; alter default privileges in schema app, attic grant select on tables to public;`,
    rollback: "alter schema app rename to lodge; drop schema attic",
  },
  {
    name: "IF EXISTS on what is not there",
    setup: `create table t (id int);`,
    rollback:
      "drop table if exists nothing cascade; drop function if exists nothing(int); drop type if exists nothing; alter table if exists nothing drop column x; alter table t drop column if exists nothing; drop trigger if exists nothing on t; drop policy if exists nothing on t; drop schema if exists nothing",
  },
  {
    name: "a new table with constraints",
    setup: `create table t (id int primary key);`,
    rollback:
      "create table u (id serial primary key, t_id int references t, n int unique, constraint big check (n > 3)); create index on u (t_id); alter table t add column note text; alter table t add constraint note_key unique (note)",
  },
  {
    name: "a published table",
    setup: `create table t (id int primary key); create table u (id int primary key); create publication p for table t, u;`,
    rollback: "drop table t",
  },
  {
    name: "a publication, an event trigger and an extension",
    setup: `create table t (id int primary key); create publication p for table t; create function e() returns event_trigger language plpgsql as 'begin end'; create event trigger et on ddl_command_end execute function e(); create extension citext; create table c (id int, n citext);`,
    rollback: "drop event trigger et; drop publication p; drop extension citext cascade",
  },
  {
    name: "ownership of a sequence",
    setup: `create table t (id int, n serial); create sequence s;`,
    rollback: "alter sequence s owned by t.id; alter sequence s increment 2",
  },
  {
    name: "a table that another table's row type is made of",
    setup: `create table t (id int); create table u (id int, old t); create function f(t) returns int language sql as 'select 1';`,
    rollback: "drop table t cascade",
  },
  {
    name: "a foreign key between partitioned tables",
    setup: `create table a (id int primary key) partition by range (id); create table a1 partition of a default; create table b (id int, a_id int references a) partition by range (id); create table b1 partition of b default;`,
    rollback: "alter table b drop constraint b_a_id_fkey; drop table a",
  },
  {
    name: "a sequence that is saved from its table's DROP",
    setup: `create table t (id serial primary key);`,
    rollback: "alter sequence t_id_seq owned by none; alter table t alter column id drop default; drop table t",
  },
  {
    name: "a sequence that a table was given just before its DROP",
    setup: `create table t (id int primary key); create sequence s;`,
    rollback: "alter sequence s owned by t.id; drop table t",
  },
  {
    name: "a partition that is detached before its parent goes",
    setup: `create table o (id int primary key, at date); create table p (id int, at date, primary key (id, at)) partition by range (at); create index on p (at); create table p1 partition of p for values from ('2025-01-01') to ('2026-01-01'); create table p2 partition of p default;`,
    rollback: "alter table p detach partition p1; drop table p",
  },
  {
    name: "a partition that foreign keys lead into, detached and dropped",
    setup: `create table o (id int, at date, primary key (id, at)) partition by range (at); create table o1 partition of o for values from ('2025-01-01') to ('2026-01-01'); create table o2 partition of o for values from ('2026-01-01') to ('2027-01-01'); create table line (id int, at date, foreign key (id, at) references o); create table deep (id int, at date, foreign key (id, at) references o) partition by list (id); create table deep1 partition of deep default;`,
    rollback: "alter table o detach partition o1; drop table o1",
  },
  {
    name: "a partition with partitions that foreign keys lead into, detached and dropped",
    setup: `create table o (id int, at date, primary key (id, at)) partition by range (at); create table o1 partition of o for values from ('2025-01-01') to ('2026-01-01') partition by list (id); create table o1a partition of o1 default; create table o2 partition of o for values from ('2026-01-01') to ('2027-01-01'); create table line (id int, at date, foreign key (id, at) references o);`,
    rollback: "alter table o detach partition o1; drop table o1",
  },
  {
    name: "a child that no longer inherits when its parent goes",
    setup: `create table a (id int); create table b (n int) inherits (a);`,
    rollback: "alter table b no inherit a; drop table a",
  },
  {
    name: "maintenance that loses nothing",
    setup: `create table t (id int primary key, n int); create index t_n on t (n); create materialized view m as select count(*) from t;`,
    rollback:
      "cluster t using t_n; refresh materialized view m; analyze t; reindex table t; reindex index t_n; notify gone; select 1; select id from t; explain select 1",
  },
  {
    name: "what CREATE makes besides tables",
    setup: `create schema s; create type s.mood as enum ('a'); create table t (id int);`,
    rollback: `create type pair as (a int, b text); create type s.color as enum ('red'); create type span as range (subtype = int4); create domain d as text check (value <> '');
      create aggregate total(int) (sfunc = int4pl, stype = int); create collation own from "C"; create text search dictionary plain (template = simple); create text search configuration words (copy = english);
      create function g(a int, b s.mood, c text[], d timestamptz) returns int language sql as 'select 1'; create operator === (leftarg = int, rightarg = int, function = int4eq)`,
  },
  {
    name: "a serial and an identity column for a table that is there",
    setup: `create table t (n int);`,
    rollback: "alter table t add column id serial, add column other int generated always as identity",
  },
  {
    name: "comments on what the SQL makes, and on what had none",
    setup: `create table t (n int); create view v as select n from t;`,
    rollback: `create table u (id int, "Na me" text); comment on table u is 'u'; comment on column u."Na me" is 'n'; comment on column t.n is 'n';
      comment on view v is 'v'; create function f(a varchar, inout b timestamptz[]) language sql as 'select b'; comment on function f(varchar, timestamptz[]) is 'f'`,
  },
  {
    name: "default names that are too long",
    setup: `create table a_table_with_a_name_that_is_rather_long_for_a_table (id int primary key, a_column_with_a_name_that_is_long_too int);`,
    rollback: `alter table a_table_with_a_name_that_is_rather_long_for_a_table add foreign key (a_column_with_a_name_that_is_long_too) references a_table_with_a_name_that_is_rather_long_for_a_table;
      create index on a_table_with_a_name_that_is_rather_long_for_a_table (a_column_with_a_name_that_is_long_too); alter table a_table_with_a_name_that_is_rather_long_for_a_table add unique (a_column_with_a_name_that_is_long_too);
      alter table a_table_with_a_name_that_is_rather_long_for_a_table add column another_column_with_a_name_that_is_long_too serial`,
  },
  {
    name: "a table made like another, and its columns",
    setup: `create table t (id int, n int);`,
    rollback:
      "create table u (like t, more int); create index on u (n); comment on column u.more is 'more'; alter table u drop column id",
  },
  {
    name: "comments where there were none",
    setup: `create schema s; create table t (id int, "a b" int); create view "V w" as select 1 as one; create index i on t (id); create type mood as enum ('a'); create domain d as int;
      create sequence q; create materialized view m as select 1 as one;`,
    rollback: `comment on table t is 'x'; comment on column t."a b" is 'x'; comment on view "V w" is 'x'; comment on index i is 'x'; comment on type mood is 'x'; comment on domain d is 'x';
      comment on sequence q is 'x'; comment on materialized view m is 'x'; comment on schema s is 'x'; comment on column t.id is ''`,
  },
];
