import { test } from "vitest";
import { thereAndBack, thereAndBackTwice } from "./undo-support.ts";

test("names that others are worded with: types of columns and arguments, defaults, checks, and what a schema holds", () =>
  thereAndBack(
    {
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
    },
    "forward",
  ));

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
