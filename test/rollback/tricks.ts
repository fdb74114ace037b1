/** Rollback SQL that does more than its text shows, one for every way that is known. */
export interface Trick {
  readonly title: string;
  /** What stands in place of `{extra}` is the table that the migration made. */
  readonly down: string;
  /** What the refusal names. */
  readonly names?: RegExp;
  /** What its hint says, where that matters. */
  readonly hint?: RegExp;
  /** The flags that the refusal offers, and that then suffice; `planned`: it runs as it is; `never`: it can only be refused. */
  readonly archive: readonly string[] | "planned" | "never";
  /** Run before the migration. */
  readonly base?: string;
  readonly baseDown?: string;
  /** Belay runs as a role that owns neither the schema auth nor its tables. */
  readonly asTeam?: true;
}

export const trickBase = `
  create table lines (id serial primary key, cents int not null, note varchar(40), at timestamptz not null default '2025-01-01 12:00+02');
  insert into lines (cents, note) select n, 'line ' || n from generate_series(1, 30) n;
  create table lines_of (id int primary key, line int not null references lines on delete cascade, big text);
  insert into lines_of select n, n, repeat('x', 3000) from generate_series(1, 9) n;
  create index on lines (note);
  create view dear as select id, cents from lines where cents > 20;
  comment on table lines is 'what was sold';
  create sequence invoice_numbers start 500;
  select nextval('invoice_numbers'), nextval('invoice_numbers');
  create type mood as enum ('sad', 'ok', 'glad');
  create table feelings (id int primary key, mood mood not null);
  insert into feelings values (1, 'sad'), (2, 'glad');
  create table measured (id int, at int) partition by range (at);
  create table measured_1 partition of measured for values from (0) to (10);
  create table measured_2 partition of measured for values from (10) to (20);
  insert into measured select n, n from generate_series(0, 19) n;
  create table animals (id int primary key, name text, legs int);
  create table dogs (tail int) inherits (animals);
  insert into animals values (1, 'cat', 4); insert into dogs values (2, 'rex', 4, 9);
  create function wipe() returns int language plpgsql as 'begin delete from public.lines where id > 5; return 1; end';
  create function wipe_trigger() returns trigger language plpgsql as 'begin delete from public.lines where id > 5; return null; end';
  create schema attic;
  create table attic.lines (id int primary key);
  insert into attic.lines values (7), (8);
  select lo_from_bytea(4711, 'large');
`;

/** What a platform manages, with objects of the team on it; `{team}` and `{platform}` are roles. */
export const managedBase = `
  create schema auth authorization "{platform}";
  create table auth.users (id int primary key, email text);
  alter table auth.users owner to "{platform}";
  insert into auth.users values (1, 'a@example.com'), (2, 'b@example.com'), (3, null);
  grant usage on schema auth to "{team}"; grant all on auth.users to "{team}"; grant all on schema public to "{team}";
  set role "{team}";
  create function handle_new_user() returns trigger language plpgsql as 'begin return new; end';
  create trigger on_auth_user_created after insert on auth.users for each row execute function handle_new_user();
  create table profiles (id int primary key references auth.users on delete cascade, name text);
  insert into profiles values (1, 'A'), (2, 'B');
  reset role;
`;

const twins =
  "create table one (id int primary key); create table two (id int primary key); insert into one values (1); insert into two values (2);";
const hidden = (body: string) => `do $x$ begin ${body} end $x$; drop table {extra};`;

export const tricks: readonly Trick[] = [
  {
    title: "a DO block",
    down: hidden("delete from lines where id < 10;"),
    names: /public\.lines: 9 rows deleted/,
    archive: ["public.lines", "public.lines_of"],
  },
  {
    title: "dynamic SQL",
    down: hidden("execute 'upd' || 'ate lines set cents = 0';"),
    names: /public\.lines: 30 rows updated/,
    archive: ["public.lines"],
  },
  {
    title: "dynamic SQL that drops a table with all that hangs on it",
    down: hidden("execute 'dr' || 'op table lines cascade';"),
    names: /public\.lines: dropped/,
    archive: ["public.lines"],
  },
  {
    title: "a table dropped and made again, empty",
    down: hidden("drop table attic.lines; create table attic.lines (id int primary key);"),
    names: /attic\.lines: dropped/,
    archive: ["attic.lines"],
  },
  {
    title: "a function",
    down: "select wipe(); drop table {extra};",
    names: /public\.lines: 25 rows deleted/,
    archive: ["public.lines", "public.lines_of"],
  },
  {
    title: "a trigger that deletes elsewhere",
    base: "create table noisy (id int primary key); insert into noisy values (1); create trigger t after delete on noisy for each statement execute function wipe_trigger();",
    down: "delete from noisy; drop table {extra};",
    names: /public\.lines: 25 rows deleted/,
    archive: ["public.lines", "public.lines_of", "public.noisy"],
  },
  {
    title: "TRUNCATE ... RESTART IDENTITY CASCADE",
    down: "truncate lines restart identity cascade; drop table {extra};",
    archive: "planned",
  },
  { title: "TRUNCATE ... CASCADE", down: "truncate lines cascade; drop table {extra};", archive: "planned" },
  {
    title: "TRUNCATE ... RESTART IDENTITY CASCADE in a DO block",
    down: hidden("truncate lines restart identity cascade;"),
    names: /lines_of: truncated or rewritten/,
    archive: ["public.lines", "public.lines_of"],
  },
  {
    title: "ALTER TYPE",
    down: "alter table lines alter note type varchar(50); drop table {extra};",
    archive: "planned",
  },
  {
    title: "ALTER TYPE in a DO block",
    down: hidden("alter table feelings alter mood type text;"),
    names: /public\.feelings: truncated or rewritten/,
    archive: ["public.feelings"],
  },
  {
    title: "an enum made again",
    down: "alter table feelings alter mood type text; drop type mood; create type mood as enum ('glad', 'sad', 'ok'); alter table feelings alter mood type mood using mood::mood; drop table {extra};",
    archive: "planned",
  },
  {
    title: "an enum made again in a DO block",
    down: hidden(
      "alter table feelings alter mood type text; drop type mood; create type mood as enum ('glad', 'sad', 'ok'); alter table feelings alter mood type mood using mood::mood;",
    ),
    names: /TYPE public mood/,
    archive: ["public.feelings"],
  },
  {
    title: "an enum's label renamed",
    down: "alter type mood rename value 'sad' to 'blue'; drop table {extra};",
    archive: "planned",
  },
  {
    title: "an enum's label renamed in a DO block",
    down: hidden("alter type mood rename value 'sad' to 'blue';"),
    names: /TYPE public mood/,
    archive: ["public.feelings"],
  },
  {
    title: "timestamptz to timestamp",
    down: "set timezone = 'UTC'; alter table lines alter at type timestamp; drop table {extra};",
    archive: "planned",
  },
  {
    title: "timestamptz to timestamp in a DO block",
    down: hidden("set local timezone = 'UTC'; alter table lines alter at type timestamp;"),
    names: /column at is read as another type/,
    archive: ["public.lines"],
  },
  {
    title: "a partition detached",
    down: "alter table measured detach partition measured_1; drop table {extra};",
    archive: "planned",
  },
  {
    title: "a partition detached and dropped in a DO block",
    down: hidden("alter table measured detach partition measured_1; drop table measured_1;"),
    names: /public\.measured_1: dropped/,
    archive: ["public.measured_1"],
  },
  {
    title: "all partitions emptied through their parent in a DO block",
    down: hidden("delete from measured;"),
    names: /public\.measured_1: 10 rows deleted/,
    archive: ["public.measured"],
  },
  { title: "DELETE without WHERE", down: "delete from lines; drop table {extra};", archive: "planned" },
  {
    title: "DELETE from a parent, child tables too",
    down: "delete from animals; drop table {extra};",
    archive: "planned",
  },
  {
    title: "a column of a parent dropped from its child tables too",
    down: "alter table animals drop column legs; drop table {extra};",
    names: /public\.dogs \(legs\): no unique key/,
    archive: ["public.dogs"],
  },
  {
    title: "a column of a parent dropped from its child tables too, in a DO block",
    down: hidden("alter table animals drop column legs;"),
    names: /public\.dogs: column legs dropped/,
    archive: ["public.animals", "public.dogs"],
  },
  {
    title: "the counters switched off",
    down: hidden("set track_counts = off; delete from lines_of;"),
    names: /public\.lines_of: locked for writing rows/,
    archive: ["public.lines_of"],
  },
  {
    title: "a block whose exception is caught, and rows gone before it",
    down: hidden(
      "delete from lines_of where id = 3; begin delete from lines_of; perform 1 / 0; exception when others then null; end;",
    ),
    names: /public\.lines_of/,
    archive: ["public.lines_of"],
  },
  {
    title: "a savepoint that is aborted, and rows gone after it",
    down: "do $x$ begin begin update feelings set mood = 'ok'; raise exception 'no'; exception when others then delete from feelings where id = 1; end; end $x$; drop table {extra};",
    names: /public\.feelings/,
    archive: ["public.feelings"],
  },
  {
    title: "the type of a column of a parent changed in its child tables too",
    down: "alter table animals alter legs type text; drop table {extra};",
    archive: "planned",
  },
  {
    title: "a sequence restarted",
    down: "alter sequence invoice_numbers restart with 3; drop table {extra};",
    archive: "planned",
  },
  {
    title: "a sequence restarted in a DO block",
    down: hidden("alter sequence invoice_numbers restart;"),
    names: /public\.invoice_numbers: sequence set/,
    archive: ["public.invoice_numbers"],
  },
  {
    title: "an identity column restarted",
    base: "create table numbered (id int generated always as identity, t text); insert into numbered (t) values ('a'), ('b');",
    down: "alter table numbered alter id restart with 1000; drop table {extra};",
    archive: "planned",
    baseDown: "drop table numbered;",
  },
  {
    title: "an attribute renamed",
    base: "create type address as (street text, zip text);",
    down: "alter type address rename attribute zip to code; drop table {extra};",
    archive: "planned",
    baseDown: "drop type address;",
  },
  {
    title: "an attribute renamed of a type whose values are stored",
    base: "create type address as (street text, zip text); create table people (id int primary key, home address); insert into people values (1, row('Main', '1000'));",
    down: "alter type address rename attribute zip to code; drop table {extra};",
    archive: "planned",
    baseDown: "drop table people; drop type address;",
  },
  {
    title: "an attribute dropped in a DO block from a type whose values are stored",
    base: "create type address as (street text, zip text); create table people (id int primary key, home address); insert into people values (1, row('Main', '1000'));",
    down: hidden("alter type address drop attribute zip;"),
    names: /TYPE public address/,
    archive: ["public.people"],
    baseDown: "drop table people; drop type address;",
  },
  {
    title: "setval",
    down: "select setval('invoice_numbers', 1); drop table {extra};",
    archive: "planned",
  },
  {
    title: "setval in a DO block",
    down: hidden("perform setval('invoice_' || 'numbers', 1);"),
    names: /public\.invoice_numbers: sequence set/,
    archive: ["public.invoice_numbers"],
  },
  {
    title: "a search_path that leads elsewhere",
    down: "set search_path = attic, public; delete from lines; drop table {extra};",
    archive: "planned",
  },
  {
    title: "a search_path that leads elsewhere, set by a function call",
    down: "select set_config('search_path', 'attic, public', true); delete from lines; drop table {extra};",
    names: /attic\.lines: 2 rows deleted/,
    archive: ["attic.lines"],
  },
  {
    title: "a view replaced in a DO block",
    down: hidden("create or replace view dear as select id, cents from lines where cents > 1000;"),
    names: /VIEW public dear/,
    archive: ["public.lines"],
  },
  {
    title: "two tables that exchange their names",
    base: twins,
    down: "alter table one rename to x; alter table two rename to one; alter table x rename to two; drop table {extra};",
    archive: "planned",
    baseDown: "drop table one, two;",
  },
  {
    title: "two tables that exchange their names in a DO block",
    base: twins,
    down: hidden("alter table one rename to x; alter table two rename to one; alter table x rename to two;"),
    names: /public\.one: renamed to public\.two/,
    archive: ["public.one", "public.two"],
    baseDown: "drop table one, two;",
  },
  {
    title: "two columns that exchange their names in a DO block",
    base: "create table pair (id int primary key, a int, b int); insert into pair values (1, 10, 20);",
    down: hidden("alter table pair rename a to x; alter table pair rename b to a; alter table pair rename x to b;"),
    names: /TABLE public pair/,
    archive: ["public.pair"],
    baseDown: "drop table pair;",
  },
  {
    title: "a table with its sequence moved to another schema in a DO block",
    down: hidden("create schema cellar; alter table lines set schema cellar;"),
    names: /public\.lines: renamed to cellar\.lines/,
    archive: ["public.lines"],
  },
  {
    title: "foreign keys left switched off in a DO block",
    down: hidden("alter table lines_of disable trigger all;"),
    names: /public\.lines_of: its foreign keys are left switched off/,
    archive: "never",
  },
  {
    title: "foreign keys left switched off",
    down: "alter table lines_of disable trigger all; drop table {extra};",
    names: /public\.lines_of: its foreign keys are left switched off/,
    archive: "never",
  },
  {
    title: "columns of a table whose rule turns updates away",
    base: "create table ruled (id int primary key, v text, w text); insert into ruled values (1, 'a', 'x'), (2, 'b', 'y'); create rule r as on update to ruled do instead nothing;",
    down: "alter table ruled drop column w; drop table {extra};",
    archive: "planned",
    baseDown: "drop table ruled;",
  },
  {
    title: "lo_unlink",
    down: "select lo_unlink(4711); drop table {extra};",
    names: /lo_unlink writes or removes large objects/,
    archive: "never",
  },
  {
    title: "lo_unlink in a DO block",
    down: hidden("perform lo_unlink(4711);"),
    names: /large objects: opened for writing or removed/,
    hint: /by hand after a belay dump/,
    archive: "never",
  },
  {
    title: "rows in a foreign table",
    base: `create extension postgres_fdw; create server self foreign data wrapper postgres_fdw options (dbname '{database}', host '127.0.0.1', port '{port}');
           create user mapping for current_user server self options (user 'postgres', password '{password}', password_required 'false');
           create schema away; import foreign schema public limit to (lines_of) from server self into away;`,
    down: hidden("delete from away.lines_of;"),
    archive: "never",
    baseDown: "drop extension postgres_fdw cascade; drop schema away;",
  },
  {
    title: "rows gone together with a function replaced",
    down: hidden("delete from lines_of; create or replace function wipe() returns int language sql as 'select 1';"),
    names: /FUNCTION public wipe/,
    archive: "never",
  },
  {
    title: "a trigger on another role's table that goes with its function",
    down: "drop function handle_new_user() cascade; drop table {extra};",
    archive: "planned",
    asTeam: true,
  },
  {
    title: "a trigger on another role's table that goes with its function, in a DO block",
    down: hidden("execute 'drop function handle_new_user() cascade';"),
    names: /TRIGGER auth users on_auth_user_created/,
    archive: "never",
    asTeam: true,
  },
  {
    title: "rows of another role's table, and what goes with them, in a DO block",
    down: hidden("delete from auth.users where id = 1;"),
    names: /auth\.users: 1 row deleted/,
    archive: ["auth.users", "public.profiles"],
    asTeam: true,
  },
  {
    title: "SET ROLE in a DO block",
    down: "do $x$ begin set local role pg_read_all_data; reset role; delete from feelings; end $x$; set role pg_monitor; reset role; drop table {extra};",
    names: /public\.feelings: 2 rows deleted/,
    archive: ["public.feelings"],
  },
];
