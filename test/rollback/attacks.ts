/** Rollback SQL by a hostile or careless author: it must be refused, or undo must put everything back. */
export interface Attack {
  readonly title: string;
  readonly down: string;
  /** Run after the base and before the rollback. */
  readonly base?: string;
  /** `refused`: the rollback must fail. Default: it may also go through, but then undo puts everything back. */
  readonly must?: "refused" | "undone";
  /** Undo may refuse, naming what it cannot put back; the archive holds every row all the same. */
  readonly mayConflict?: boolean;
}

export const attackBase = `
  create table ledger_lines (id serial primary key, cents int not null, note varchar(40));
  insert into ledger_lines (cents, note) select n, 'line ' || n from generate_series(1, 30) n;
  create table lines_of (id int primary key, line_id int references ledger_lines on delete cascade, kept int references ledger_lines on delete set null);
  insert into lines_of values (1, 1, 2), (2, 2, 3);
  create table bystander (id int primary key, big text);
  insert into bystander values (1, repeat('x', 200000)), (2, 'small');
  alter table bystander alter big set storage external;
  create sequence invoice_numbers start 500;
  select nextval('invoice_numbers'), nextval('invoice_numbers');
  create view lines as select id, cents from ledger_lines;
  create materialized view sums as select sum(cents) from ledger_lines;
  create type mood as enum ('sad', 'ok', 'glad');
  create table feelings (id int primary key, mood mood);
  insert into feelings values (1, 'sad'), (2, 'glad');
  create type address as (street text, zip text);
  create table people (id int primary key, home address, seen timestamptz default '2025-01-01');
  insert into people values (1, row('Main', '1000')), (2, row('Side', '2000'));
  create table measured (id int, at int) partition by range (at);
  create table measured_1 partition of measured for values from (0) to (10);
  create table measured_2 partition of measured for values from (10) to (20);
  insert into measured select n, n from generate_series(0, 19) n;
  create table animals (id int primary key, name text);
  create table dogs (tail int) inherits (animals);
  insert into animals values (1, 'cat'); insert into dogs values (2, 'rex', 9);
  create function wipe() returns int language plpgsql as 'begin delete from public.ledger_lines where id > 5; return 1; end';
  create function wipe_trigger() returns trigger language plpgsql as 'begin delete from public.ledger_lines where id > 5; return null; end';
  select lo_from_bytea(4711, 'large');
  create table extra_parent (id int primary key); insert into extra_parent values (1), (2);
`;
export const attackUp = `create table extra (id int primary key, parent int references extra_parent); insert into extra values (1, 1), (2, 2);`;

const hidden = (body: string) => `do $x$ begin ${body} end $x$; drop table extra;`;

export const attacks: readonly Attack[] = [
  {
    title: "DELETE in a common table expression",
    down: "with gone as (delete from ledger_lines where id > 3 returning 1) select count(*) from gone; drop table extra;",
  },
  { title: "DELETE that cascades and sets null", down: "delete from ledger_lines where id < 4; drop table extra;" },
  {
    title: "DELETE hidden, in the foreign-key parent of what is dropped",
    down: hidden(
      "delete from extra_parent where id = 2 and (select count(*) from extra) > 9; alter table extra drop constraint extra_parent_fkey; delete from extra_parent;",
    ),
    must: "refused",
  },
  {
    title: "a rule that deletes elsewhere",
    down: hidden(
      "create table fuse (id int); create rule r as on insert to fuse do also delete from ledger_lines; insert into fuse values (1); drop table fuse;",
    ),
    must: "refused",
  },
  {
    title: "an INSTEAD OF trigger",
    base: "create trigger t instead of insert on lines for each row execute function wipe_trigger();",
    down: "insert into lines values (1, 1); drop table extra;",
  },
  {
    title: "a cursor WITH HOLD that runs at COMMIT",
    down: "declare c cursor with hold for select wipe(); drop table extra;",
    must: "undone",
  },
  {
    title: "a deferred trigger re-armed by itself",
    down: `create table fuse (id int);
     create function rearm() returns trigger language plpgsql as $$ begin
       if new.id < 3 then execute 'set constraints all deferred'; insert into public.fuse values (new.id + 1); else delete from public.ledger_lines where id > 5; end if; return null; end $$;
     create constraint trigger later after insert on fuse deferrable initially deferred for each row execute function rearm();
     insert into fuse values (1); drop table extra;`,
  },
  {
    title: "a trigger on Belay's own records",
    down: hidden(
      "create trigger t after update on belay.rollbacks for each statement execute function wipe_trigger();",
    ),
    must: "refused",
  },
  {
    title: "a deferred trigger on the ledger",
    down: hidden(
      "create constraint trigger t after update on belay.migration_history deferrable initially deferred for each row execute function wipe_trigger();",
    ),
    must: "refused",
  },
  {
    title: "a rule on the archives' records",
    down: hidden("create rule r as on insert to belay.archives do also delete from public.ledger_lines;"),
    must: "refused",
  },
  {
    title: "one of Belay's functions replaced",
    down: hidden(
      "create or replace function belay.list_rollbackable_migrations() returns setof record language sql as 'select 1, 2';",
    ),
  },
  {
    title: "one of Belay's functions dropped",
    down: hidden("drop function belay.list_rollbackable_migrations();"),
    must: "refused",
  },
  {
    title: "a temporary view that hides the locks",
    down: hidden(
      "create temp view pg_locks as select * from pg_catalog.pg_locks where false; create temp view pg_stat_xact_all_tables as select * from pg_catalog.pg_stat_xact_all_tables where false; delete from ledger_lines where id > 5;",
    ),
    must: "refused",
  },
  {
    title: "a temporary table in the place of a real one",
    down: "create temp table bystander (id int); drop table bystander; drop table extra;",
  },
  {
    title: "a temporary table that shadows, then the real one is emptied",
    down: hidden("create temp table bystander (id int); delete from public.bystander;"),
    must: "refused",
  },
  {
    title: "an attribute dropped from a composite type in use",
    down: "alter type address drop attribute zip; drop table extra;",
  },
  {
    title: "an attribute renamed and another added under its name",
    down: "alter type address rename attribute zip to old_zip; alter type address add attribute zip text; drop table extra;",
  },
  {
    title: "enum labels swapped, hidden",
    down: hidden(
      "alter type mood rename value 'sad' to 'x'; alter type mood rename value 'glad' to 'sad'; alter type mood rename value 'x' to 'glad';",
    ),
    must: "refused",
  },
  {
    title: "enum labels swapped",
    mayConflict: true,
    down: "alter type mood rename value 'sad' to 'x'; alter type mood rename value 'glad' to 'sad'; alter type mood rename value 'x' to 'glad'; drop table extra;",
  },
  {
    title: "a partition detached, another attached in its place, hidden",
    down: hidden(
      "alter table measured detach partition measured_1; alter table measured_1 rename to old_1; create table measured_1 (id int, at int); alter table measured attach partition measured_1 for values from (0) to (10);",
    ),
    must: "refused",
  },
  { title: "a child table with its rows", down: "drop table dogs; drop table extra;" },
  { title: "UPDATE of the partitioned parent", down: "update measured set id = id + 100; drop table extra;" },
  { title: "INHERIT taken away", mayConflict: true, down: "alter table dogs no inherit animals; drop table extra;" },
  {
    title: "tables swapped by name",
    mayConflict: true,
    down: "alter table bystander rename to old_bystander; create table bystander (id int primary key, big text); drop table extra;",
  },
  {
    title: "tables swapped by name, hidden",
    down: hidden(
      "alter table bystander rename to old_bystander; alter index bystander_pkey rename to old_pkey; create table bystander (id int primary key, big text); alter table bystander alter big set storage external;",
    ),
    must: "refused",
  },
  {
    title: "two columns that exchange their names",
    mayConflict: true,
    base: "create table pair (id int primary key, a int, b int); insert into pair values (1, 10, 20);",
    down: "alter table pair rename a to x; alter table pair rename b to a; alter table pair rename x to b; drop table extra;",
  },
  {
    title: "a column dropped and added again",
    mayConflict: true,
    down: "alter table ledger_lines drop column note; alter table ledger_lines add column note varchar(40); drop table extra;",
  },
  {
    title: "a table dropped and made again",
    down: "drop table bystander; create table bystander (id int primary key, big text); drop table extra;",
  },
  {
    title: "a table moved to another schema",
    down: "create schema attic; alter table bystander set schema attic; drop table extra;",
  },
  { title: "a table made unlogged", mayConflict: true, down: "alter table bystander set unlogged; drop table extra;" },
  { title: "a table made unlogged, hidden", down: hidden("alter table bystander set unlogged;"), must: "refused" },
  { title: "CLUSTER", down: "cluster ledger_lines using ledger_lines_pkey; drop table extra;" },
  { title: "REINDEX", down: "reindex table ledger_lines; drop table extra;" },
  {
    title: "a prepared statement",
    down: "prepare p as delete from ledger_lines; execute p; drop table extra;",
    must: "refused",
  },
  {
    title: "a cursor that deletes where it stands",
    down: "declare c cursor for select * from ledger_lines for update; fetch 3 from c; delete from ledger_lines where current of c; drop table extra;",
  },
  { title: "SET ROLE left behind", down: "set role pg_monitor; reset role; drop table extra; set role pg_monitor;" },
  {
    title: "session_replication_role, orphans and all",
    down: "set session_replication_role = replica; delete from ledger_lines where id = 1; drop table extra;",
  },
  {
    title: "standard_conforming_strings off at the role",
    base: "alter database current_database_name set standard_conforming_strings = off;",
    down: "select '\\''; commit; drop table ledger_lines cascade; --'; drop table extra;",
  },
  {
    title: "writes to the ledger",
    down: hidden("update belay.migration_history set rollback_sql = 'x';"),
    must: "refused",
  },
  {
    title: "an advisory lock kept and all let go",
    down: "select pg_advisory_lock(1); select pg_advisory_unlock_all(); drop table extra;",
    must: "undone",
  },
  { title: "NOTIFY", down: "notify channel; drop table extra;" },
  { title: "a large object written", down: "select lo_put(4711, 0, 'LARGE'); drop table extra;", must: "refused" },
  {
    title: "a large object removed, uncounted",
    down: hidden("set local track_counts = off; perform lo_unlink(4711);"),
    must: "refused",
  },
  {
    title: "an event trigger that deletes",
    down: "create function et() returns event_trigger language plpgsql as 'begin delete from ledger_lines; end'; create event trigger et on sql_drop execute function et(); drop table extra; drop event trigger et; drop function et();",
    must: "refused",
  },
  {
    title: "a sequence set back and the SQL fails",
    down: "select setval('invoice_numbers', 1); select 1 / 0; drop table extra;",
    must: "refused",
  },
  {
    title: "a sequence dropped and made again",
    down: "drop sequence invoice_numbers; create sequence invoice_numbers start 500; drop table extra;",
  },
  {
    title: "a default that deletes when the column is added",
    down: "alter table bystander add column gone int default wipe(); drop table extra;",
    must: "refused",
  },
  {
    title: "an index expression that deletes",
    base: "create function calm(int) returns int language plpgsql immutable as 'begin perform wipe(); return 1; end';",
    down: "create index on bystander (calm(id)); drop table extra;",
    must: "refused",
  },
  { title: "grants given away, hidden", down: hidden("grant all on bystander to public;"), must: "refused" },
  {
    title: "row security off, hidden",
    base: "alter table bystander enable row level security; create policy p on bystander using (id = 1);",
    down: hidden("alter table bystander disable row level security;"),
    must: "refused",
  },
  {
    title: "a policy dropped and one made under its name, hidden",
    base: "alter table bystander enable row level security; create policy p on bystander using (id = 1);",
    down: hidden("drop policy p on bystander; create policy p on bystander using (true);"),
    must: "refused",
  },
  {
    title: "a rule that swallows what is inserted later, hidden",
    down: hidden("create rule swallow as on insert to ledger_lines do instead nothing;"),
    must: "refused",
  },
  {
    title: "a trigger that deletes later, hidden",
    down: hidden("create trigger later after insert on bystander for each row execute function wipe_trigger();"),
    must: "refused",
  },
  {
    title: "a text search configuration dropped, hidden",
    base: "create text search configuration mine (copy = english);",
    down: hidden("drop text search configuration mine;"),
    must: "refused",
  },
  {
    title: "a cast dropped, hidden",
    base: "create cast (address as text) with inout;",
    down: hidden("drop cast (address as text);"),
    must: "refused",
  },
  {
    title: "a comment on the database, hidden",
    base: "comment on database current_database_name is 'ours';",
    down: hidden("execute format('comment on database %I is null', current_database());"),
    must: "refused",
  },
  {
    title: "settings of the database, hidden",
    down: hidden("execute format('alter database %I set work_mem = 1000', current_database());"),
    must: "refused",
  },
  {
    title: "a program run on the server",
    down: "copy (select 1) to program 'true'; drop table extra;",
    must: "refused",
  },
  {
    title: "a program run on the server, hidden",
    down: hidden("execute 'copy (select 1) to program ''true''';"),
    must: "refused",
  },
  {
    title: "dblink",
    base: "create extension dblink;",
    down: "select dblink_exec('dbname=' || current_database(), 'delete from ledger_lines'); drop table extra;",
    must: "refused",
  },
  {
    title: "dblink in a DO block",
    base: "create extension dblink;",
    down: hidden("perform dblink_exec('dbname=' || current_database(), 'delete from ledger_lines');"),
    must: "refused",
  },
  {
    title: "dblink in a function",
    base: "create extension dblink; create function away() returns text language sql as $$ select dblink_exec('dbname=' || current_database(), 'delete from ledger_lines') $$;",
    down: "select away(); drop table extra;",
    must: "refused",
  },
  {
    title: "a foreign table of this very server",
    base: `create extension postgres_fdw; create server self foreign data wrapper postgres_fdw options (dbname 'current_database_name', host '127.0.0.1', port 'current_port'); create user mapping for current_user server self options (user 'postgres', password 'current_password', password_required 'false'); create schema away; import foreign schema public limit to (ledger_lines) from server self into away;`,
    down: "delete from away.ledger_lines; drop table extra;",
    must: "refused",
  },
  {
    title: "the end of the transaction in a procedure",
    base: "create procedure ends() language plpgsql as 'begin delete from ledger_lines; commit; end';",
    down: "call ends(); drop table extra;",
    must: "refused",
  },
  { title: "a COPY that waits for the client", down: "copy bystander from stdin; drop table extra;", must: "refused" },
  {
    title: "generated column made a plain one",
    mayConflict: true,
    base: "create table gen (id int primary key, a int, b int generated always as (a * 2) stored); insert into gen (id, a) values (1, 2);",
    down: "alter table gen alter b drop expression; drop table extra;",
  },
  {
    title: "COPY FROM a file, hidden",
    down: hidden("execute 'copy ledger_lines (cents) from ''/proc/sys/kernel/pid_max''';"),
    must: "refused",
  },
  {
    title: "a matview refreshed with other rows",
    base: "insert into ledger_lines (cents) values (1000);",
    down: "refresh materialized view sums; drop table extra;",
  },
  { title: "a matview dropped", down: "drop materialized view sums; drop table extra;" },
  {
    title: "a domain's check replaced",
    mayConflict: true,
    base: "create domain cents as int check (value >= 0); create table d (id int primary key, c cents);",
    down: "alter domain cents drop constraint cents_check; drop table extra;",
  },
  {
    title: "the tracking table emptied",
    base: "create schema supabase_migrations; create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text); insert into supabase_migrations.schema_migrations values ('20240101000000', '{a}', 'old'), ('20250102000000', '{b,c}', 'change');",
    down: "delete from supabase_migrations.schema_migrations; drop table extra;",
    must: "refused",
  },
  {
    title: "the tracking table emptied, hidden",
    base: "create schema supabase_migrations; create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text); insert into supabase_migrations.schema_migrations values ('20240101000000', '{a}', 'old'), ('20250102000000', '{b,c}', 'change');",
    down: hidden("delete from supabase_migrations.schema_migrations;"),
    must: "refused",
  },
  {
    title: "its own row of the tracking table",
    base: "create schema supabase_migrations; create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text); insert into supabase_migrations.schema_migrations values ('20240101000000', '{a}', 'old'), ('20250102000000', '{b,c}', 'change');",
    down: "delete from supabase_migrations.schema_migrations where version = '20250102000000'; drop table extra;",
    must: "undone",
  },
  {
    title: "its own row of the tracking table changed",
    base: "create schema supabase_migrations; create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text); insert into supabase_migrations.schema_migrations values ('20240101000000', '{a}', 'old'), ('20250102000000', '{b,c}', 'change');",
    down: hidden("update supabase_migrations.schema_migrations set statements = '{}';"),
    must: "refused",
  },
  {
    title: "a trigger on the tracking table that deletes",
    base: "create schema supabase_migrations; create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text); insert into supabase_migrations.schema_migrations values ('20240101000000', '{a}', 'old'), ('20250102000000', '{b,c}', 'change');",
    down: hidden(
      "create trigger t after delete on supabase_migrations.schema_migrations for each row execute function wipe_trigger();",
    ),
    must: "refused",
  },
  {
    title: "a trigger on the tracking table that was there and deletes",
    base: "create schema supabase_migrations; create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text); insert into supabase_migrations.schema_migrations values ('20240101000000', '{a}', 'old'), ('20250102000000', '{b,c}', 'change'); create trigger t after delete on supabase_migrations.schema_migrations for each row execute function wipe_trigger();",
    down: "drop table extra;",
    must: "refused",
  },
];
