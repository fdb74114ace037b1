import { describe, test } from "vitest";
import { type Change, thereAndBack } from "./undo-support.ts";

/** What a rollback changes in place, and what hangs on it. */
const cases: readonly Change[] = [
  {
    title:
      "an enum that the rollback makes again without a label that rows, a default, an index, a view and a check use",
    base: "create type m as enum ('a','b'); create table t (id int primary key, m m default 'a'); insert into t values (1,'a')",
    up: "create type m2 as enum ('a','b','c'); alter table t alter m drop default, alter m type m2 using m::text::m2; drop type m; alter type m2 rename to m; update t set m = 'c'; alter table t alter m set default 'c'; create index t_m on t (id) where m = 'c'; create view v as select id from t where m = 'c'; alter table t add check (m <> 'b'); ",
    down: "drop view v; drop index t_m; alter table t drop constraint t_m_check; update t set m = 'a' where m = 'c'; alter table t alter m drop default; alter type m rename to m_old; create type m as enum ('a','b'); alter table t alter m type m using m::text::m; alter table t alter m set default 'a'; drop type m_old;",
  },
  {
    title: "an enum under arrays, a default, an index, a view and a function",
    base: "create type m as enum ('a','b'); create table t (id int primary key, m m, ms m[]); create table u (id int primary key, m m default 'b'); insert into u values (1,'a'); create index u_i on u (m) where m = 'a'; create view uv as select * from u where m = 'a'; create function f(x m) returns m language sql as 'select x';",
    up: "drop view uv; drop function f; drop index u_i; alter table u alter m drop default; create type m2 as enum ('a','b','c'); alter table t alter m type m2 using m::text::m2, alter ms type m2[] using ms::text::m2[]; alter table u alter m type m2 using m::text::m2; drop type m; alter type m2 rename to m; alter table u alter m set default 'b';  create index u_i on u (m) where m = 'a'; create view uv as select * from u where m = 'a'; create function f(x m) returns m language sql as 'select x'; insert into t values (1, 'c', '{c}')",
    down: "drop view uv; drop function f; drop index u_i; alter table u alter m drop default; delete from t; create type m2 as enum ('a','b'); alter table t alter m type m2 using m::text::m2, alter ms type m2[] using ms::text::m2[]; alter table u alter m type m2 using m::text::m2; drop type m; alter type m2 rename to m; alter table u alter m set default 'b';  create index u_i on u (m) where m = 'a'; create view uv as select * from u where m = 'a'; create function f(x m) returns m language sql as 'select x';",
  },
  {
    title: "a domain's check and default that go, under rows",
    base: "create domain d as int check (value > 0); create table t (id int primary key, d d); insert into t values (1, 5);",
    up: "alter domain d add constraint small check (value < 100), set default 3;".replace(
      ", set default",
      "; alter domain d set default",
    ),
    down: "alter domain d drop constraint small; alter domain d drop default;",
  },
  {
    title: "a domain's NOT NULL that goes and check that comes, under rows",
    base: "create domain d as int check (value > 0); create table t (id int primary key, d d); insert into t values (1, 5);",
    up: "alter domain d set not null; alter domain d drop constraint d_check; comment on domain d is 'x'",
    down: "alter domain d drop not null; alter domain d add constraint d_check check (value > 0); comment on domain d is null",
  },
  {
    title: "another query of a materialised view with an index and a view on top",
    base: "create table t (id int primary key, n int); insert into t values (1,2),(2,3); create materialized view mv as select id from t; create unique index mv_i on mv (id)",
    up: "drop materialized view mv; create materialized view mv as select id, n from t; create unique index mv_i on mv (id); create view vv as select * from mv; comment on materialized view mv is 'mv'",
    down: "drop view vv; drop materialized view mv; create materialized view mv as select id from t; create unique index mv_i on mv (id)",
  },
  {
    title: "a materialised view that the rollback fills again",
    base: "create table t (id int primary key, n int); insert into t values (1,2),(2,3); create materialized view mv as select count(*) from t;",
    up: "insert into t values (3,3); refresh materialized view mv",
    down: "delete from t where id = 3; refresh materialized view mv",
  },
  {
    title: "a partition that the rollback attaches again",
    base: "create table p (id int, k int) partition by list (k); create table c partition of p for values in (1); create table d partition of p default; insert into p values (1, 1), (2, 2);",
    up: "alter table p detach partition c",
    down: "alter table p attach partition c for values in (1)",
  },
  {
    title: "a partition's bounds, with rows beyond those of now",
    base: "create table p (id int, k int) partition by range (k); create table c partition of p for values from (0) to (10); insert into p values (1, 1);",
    up: "alter table p detach partition c; alter table p attach partition c for values from (0) to (20); insert into p values (2, 15)",
    down: "delete from c where k >= 10; alter table p detach partition c; alter table p attach partition c for values from (0) to (10)",
  },
  {
    title: "an identity that the rollback gives a column",
    base: "create table t (id int generated by default as identity (start 5), n int); insert into t (n) values (3);",
    up: "alter table t alter id drop identity",
    down: "alter table t alter id add generated by default as identity (start 5); select setval('t_id_seq', 5)",
  },
  {
    title: "a column's type under a view with a grant",
    base: "create table t (id int primary key, n int); insert into t values (1, 3); create view v as select id, n from t; grant select on v to public",
    up: "drop view v; alter table t alter n type bigint; update t set n = 2; create view v as select id, n from t; grant select on v to public; create index on t (n)",
    down: "drop view v; drop index t_n_idx; alter table t alter n type int; create view v as select id, n from t; grant select on v to public",
  },
  {
    title: "a function's body and options under a default, a check, an index and a view",
    base: "create function f(a int) returns int language sql immutable as 'select a'; create table t (id int primary key, n int default f(3), check (f(n) > 0)); insert into t values (1); create index t_f on t (f(n)); create view v as select f(n) from t",
    up: "create or replace function f(a int) returns int language sql immutable strict cost 7 as 'select a + 0'; comment on function f is 'x'; grant execute on function f to pg_monitor",
    down: "revoke execute on function f from pg_monitor; comment on function f is null; create or replace function f(a int) returns int language sql immutable as 'select a'",
  },
  {
    title: "a function with other parameters and another result, under a view",
    base: "create function f(a int) returns int language sql immutable as 'select a'; create view v as select f(1) as x",
    up: "drop view v; drop function f; create function f(a int, b int default 2) returns bigint language sql immutable as 'select a::bigint'; create view v as select f(1) as x",
    down: "drop view v; drop function f; create function f(a int) returns int language sql immutable as 'select a'; create view v as select f(1) as x",
  },
  {
    title: "the names of a function's parameters, under a view",
    base: "create function f(a int) returns int language sql immutable as 'select a'; create view v as select f(1) as x",
    up: "drop view v; drop function f; create function f(b int) returns int language sql immutable as 'select b'; create view v as select f(1) as x",
    down: "drop view v; drop function f; create function f(a int) returns int language sql immutable as 'select a'; create view v as select f(1) as x",
  },
  {
    title: "an enum's label between two others",
    base: "create type m as enum ('a','c'); create table t (id int primary key, m m); insert into t values (1,'a')",
    up: "alter type m rename to mo; create type m as enum ('a', 'b', 'c'); alter table t alter m type m using m::text::m; drop type mo; create index ti on t (m); update t set m = 'b'",
    down: "drop index ti; update t set m = 'a' where m = 'b'; alter type m rename to mo; create type m as enum ('a', 'c'); alter table t alter m type m using m::text::m; drop type mo",
  },
  {
    title: "a table that is set aside for another one of its name, with a view on that",
    base: "create table t (id serial primary key, n int); insert into t (n) values (1), (2);",
    up: "alter table t add x int; update t set x = n",
    down: "alter table t rename to t_old; create table t (id serial primary key, m text); insert into t (m) values ('new'); create view v as select m from t",
  },
  {
    title:
      "a table that leaves its schema with its sequence, both renamed, for another one of its name; two that change places",
    base: "create schema arch; create table arch.u (id serial primary key, a int); create table u (id int, b int); insert into arch.u (a) values (1); insert into u values (2, 3);",
    up: "create table t (id serial primary key, n int); insert into t (n) values (1), (2);",
    down: `alter table t set schema arch; alter table arch.t rename to t_old; alter sequence arch.t_id_seq rename to t_old_seq; create table t (id int primary key, m text);
      alter table arch.u rename to u_from; alter table u set schema arch; alter table arch.u_from set schema public; alter table u_from rename to u;`,
  },
  {
    title: "a table that becomes another one's child",
    base: "create table p (a int); create table c (a int, b int) with (fillfactor = 70); insert into c values (1, 2)",
    up: "alter table c inherit p; alter table c set (fillfactor = 80)",
    down: "alter table c set (fillfactor = 70); alter table c no inherit p",
  },
];

test("forward SQL that deletes rows and alters their table is given up for the stored entries, not waited for", () =>
  thereAndBack(
    {
      title: "",
      base: "create table t (id int primary key, kept bool); insert into t values (1, true)",
      up: "delete from t where not kept; alter table t drop kept",
      down: "alter table t add kept bool",
      only: "entries",
    },
    "forward",
  ));

describe("undone from the stored entries", () => {
  test.each(cases)("$title", (change) => thereAndBack(change, "entries"));
});
