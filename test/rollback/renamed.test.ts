import { expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, photograph, run } from "./helpers.ts";
import { thereAndBack, thereAndBackTwice } from "./undo-support.ts";

test("names that others are worded with: types of columns and arguments, defaults, checks, and what a schema holds", () =>
  thereAndBackTwice({
    title: "renamed",
    base: `create type mood as enum ('a'); create function f(x mood) returns mood language sql as 'select x'; comment on function f is 'x';
        create table t (id int primary key, m mood default 'a', ms mood[], constraint k check (id > 0)); insert into t values (1);
        create domain d as int constraint dk check (value > 0); create table u (d d); insert into u values (1);
        create function g(a int) returns int language sql immutable as 'select a';
        create table v (n int default g(3), check (g(n) > 0)); insert into v values (1);
        create sequence s; create table w (id int default nextval('s')); create schema z; create type z.e as enum ('a');
        create table y (e z.e); create table p (id int); create function h(x p) returns int language sql as 'select x.id';
        create function et() returns event_trigger language plpgsql as 'begin end';
        create event trigger et on ddl_command_end when tag in ('CREATE CAST') execute function et();`,
    up: `alter type mood rename to feeling; alter table t rename constraint k to k2; alter domain d rename to dd;
        alter domain dd rename constraint dk to dk2; alter function g rename to g2; alter sequence s rename to s2;
        alter schema z rename to z2; alter table p rename to p2; alter event trigger et rename to et2;`,
    down: `alter event trigger et2 rename to et; alter table p2 rename to p; alter schema z2 rename to z;
        alter sequence s2 rename to s; alter function g2 rename to g; alter domain dd rename constraint dk2 to dk;
        alter domain dd rename to d; alter table t rename constraint k2 to k; alter type feeling rename to m3; alter type m3 rename to mood;`,
  }));

test("statistics and text search objects that are altered", () =>
  thereAndBack(
    {
      title: "altered",
      base: `create table t (id int primary key, n int); create statistics st on id, n from t;
        create text search configuration tc (copy = simple); create text search dictionary td (template = simple);`,
      up: `alter statistics st set statistics 50; alter text search configuration tc alter mapping for asciiword with td, simple;
        alter text search dictionary td (stopwords = english);`,
      down: `alter text search dictionary td (stopwords); alter text search configuration tc alter mapping for asciiword with simple;
        alter statistics st set statistics -1;`,
    },
    "entries",
  ));

test("a table with its sequence that leaves a schema, which then goes", () =>
  thereAndBackTwice({
    title: "moved out",
    base: "create table t (id serial primary key, n int check (n > 0)); create index on t (n); create view v as select n from t; insert into t (n) values (1), (2);",
    up: "create schema app; alter table t set schema app;",
    down: "alter table app.t set schema public; drop schema app;",
  }));

test("default privileges, those that what comes back is made under too", () =>
  thereAndBackTwice({
    title: "default privileges",
    base: `create schema app; alter default privileges in schema app grant select on tables to public;
      alter default privileges grant usage on schemas to pg_monitor;`,
    up: `alter default privileges in schema app grant insert on tables to pg_monitor with grant option; alter default privileges grant create on schemas to pg_monitor;
      alter default privileges revoke execute on functions from public; alter default privileges for role pg_monitor in schema app grant usage on types to public;
      create table app.t (id int primary key); create function app.f() returns int language sql as 'select 1'; create schema late;`,
    down: `drop schema late; drop function app.f(); drop table app.t; alter default privileges for role pg_monitor in schema app revoke usage on types from public;
      alter default privileges grant execute on functions to public; alter default privileges revoke create on schemas from pg_monitor;
      alter default privileges in schema app revoke insert on tables from pg_monitor; alter default privileges in schema app grant update on tables to pg_monitor;
      alter default privileges for role pg_monitor grant select on tables to public;`,
  }));

test("what cannot go and come, because columns, indexes and foreign tables are made of it: renamed, exchanged, moved out of a schema that goes", () =>
  thereAndBack(
    {
      title: "renamed in use",
      base: `create extension postgres_fdw; create server far foreign data wrapper postgres_fdw; create user mapping for public server far;
      create foreign table away (id int) server far; create schema app; create schema den;
      create extension citext schema app; create collation app.c from "C"; create type one as enum ('a'); create type two as enum ('b'); create type den.pair as (x int, o one);
      create domain app.d as text collate app.c check (value > 'a'); create text search configuration app.tc (copy = simple);
      create function app.half(int) returns int language sql immutable as 'select $1 / 2'; create function den.of(den.pair, app.d[]) returns int language sql immutable as 'select 1';
      create operator class app.ops for type int using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);
      create table den.t (id int primary key, d app.d, o one, os two[], p den.pair, h int generated always as (app.half(id)) stored,
        v tsvector generated always as (to_tsvector('app.tc', d)) stored, c text collate app.c default 'c', ci app.citext default 'I');
      create index on den.t (id app.ops); create view v as select d, o from den.t where den.of(p, array[d]) = 1; comment on type one is 'x';
      insert into den.t (id, d, o, os, p) values (8, 'text', 'a', '{b}', row(1, 'a')), (9, 'more', 'a', '{b,b}', null);`,
      up: "select 1;",
      down: `alter server far rename to near; alter type one rename to three; alter type two rename to one; alter type three rename to two; alter schema den rename to lair;
      create schema attic; alter collation app.c set schema attic; alter domain app.d set schema attic; alter domain attic.d rename to dd; alter text search configuration app.tc set schema attic;
      alter function app.half set schema attic; alter function attic.half rename to halves; alter operator class app.ops using btree set schema attic; alter operator family app.ops using btree set schema attic;
      alter extension citext set schema public; drop schema app; alter type lair.pair set schema public; alter type pair rename to couple;`,
    },
    "entries",
  ));

test("rows and columns that went from a table whose schema was renamed", () =>
  thereAndBack(
    {
      title: "rows in a renamed schema",
      base: `create schema den; create table den.t (id serial primary key, a text, b text); insert into den.t (a, b) values ('x', 'y'), ('z', null);
      create table den.u (id int primary key, t int references den.t); insert into den.u values (1, 1), (2, 2); create table den.w (n int); insert into den.w values (1), (1);
      create table s (id int primary key, x text, y text); insert into s values (1, 'a', 'b'), (2, 'c', 'd');`,
      up: "select 1;",
      down: "alter schema den rename to lair; alter table lair.t drop column b; alter table lair.t rename column a to aa; delete from lair.u where id = 1; drop table lair.w; alter table lair.t add column c int; alter table s drop column y; alter table s rename to s2; alter table s2 rename column x to xx;",
    },
    "entries",
  ));

test("an operator of a check and an extension of a column, moved", () =>
  thereAndBackTwice({
    title: "moved in use",
    base: `create schema s; create function f(int, int) returns bool language sql immutable as 'select $1 = $2'; create operator === (leftarg = int, rightarg = int, function = f);
      create extension citext; create table t (id int, c citext, check (id === id)); create index on t (c); insert into t values (1, 'A');
      create view v as select id === 1 as x, c || 'x' as y from t;`,
    up: "alter operator ===(int, int) set schema s; alter extension citext set schema s;",
    down: "alter extension citext set schema public; alter operator s.===(int, int) set schema public;",
  }));

test("an enum whose old one is left under another name, and a function that another one took the place of", () =>
  thereAndBack(
    {
      title: "another in its place",
      base: `create type mood as enum ('sad', 'ok'); create table feelings (id int primary key, m mood default 'ok'); insert into feelings values (1, 'sad'), (2, 'ok');
      create function f(int) returns int language sql immutable as 'select 1'; create table g (id int, n int default f(1), check (f(id) = 1)); insert into g values (1);`,
      up: "select 1;",
      down: `alter type mood rename to old_mood; create type mood as enum ('good', 'sad', 'ok'); alter table feelings alter m drop default;
      alter table feelings alter m type mood using m::text::mood; alter table feelings alter m set default 'good';
      alter function f rename to old_f; create function f(int) returns int language sql immutable as 'select 2';`,
    },
    "entries",
  ));

test("what came since and is worded with a renamed object is a conflict, named before anything runs", async () => {
  const database = await createDatabase();
  const { url } = database;
  const name = "20250102000000_change";
  try {
    const base = `create schema z; create table z.t (id int primary key); create type mood as enum ('a'); create function f() returns int language sql as 'select 1';
      create table g (id int default f());`;
    const up = "alter schema z rename to z2; alter type mood rename to m2; alter function f rename to f2;";
    const down = "alter function f2 rename to f; alter type m2 rename to mood; alter schema z2 rename to z;";
    await apply(url, { name: "20250101000000_base", up: base, down: "" }, { name, up, down });
    const belay = testBelay({ database: url });
    const { rollbackId } = await executeRollback(belay, { migration: name, reason: "test" });
    const newer = ["table z.newer (id int)", "table of_type (ms mood[])", "view of_function as select f()"];
    for (const each of newer) await run(url, `create ${each}`);
    await run(url, "comment on schema z is 'x'");
    const before = await photograph(url);
    const refusal = await undoRollback(belay, { rollbackId, reason: "test" }).catch((error) => error);
    expect(refusal.code).toBe("undo_conflict");
    expect(refusal.details.conflicts.map(({ what }: { what: string }) => what).sort()).toEqual([
      "COMMENT - SCHEMA z came since, and needs SCHEMA - z, which gets its old name back",
      "TABLE public of_type came since, and needs TYPE public mood, which gets its old name back",
      "TABLE z newer came since, and needs SCHEMA - z, which gets its old name back",
      "VIEW public of_function came since, and needs FUNCTION public f(), which gets its old name back",
    ]);
    expect(await photograph(url)).toEqual(before);
    await run(url, "comment on schema z is null");
    for (const each of newer) await run(url, `drop ${each.split(" ").slice(0, 2).join(" ")}`);
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(Object.keys((await photograph(url)).entries)).toContain("TABLE z2 t");
  } finally {
    await database.drop();
  }
});
