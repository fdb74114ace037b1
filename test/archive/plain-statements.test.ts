import { describe, expect, it } from "vitest";
import { readCopyStatement } from "../../shared/archive/read/plain/copy-statement.ts";
import { judgeMetaCommand } from "../../shared/archive/read/plain/meta-command.ts";
import { namedRoles } from "../../shared/archive/read/plain/names.ts";
import { statementKind } from "../../shared/archive/read/plain/statement-kind.ts";

describe("a statement's kind", () => {
  it.each([
    ["insert into t values (1)", "insert"],
    ["/* x */ CREATE /* y */ TABLE t (n int)", "ordinary"],
    ["create index concurrently i on t (n)", "alone"],
    ["CREATE UNIQUE INDEX i ON t (n)", "alone"],
    ["alter type mood add value 'x'", "alone"],
    ["begin", "transaction"],
    ["START TRANSACTION ISOLATION LEVEL SERIALIZABLE", "transaction"],
    ["savepoint a", "transaction"],
    ["commit prepared 'x'", "refused"],
    ["set client_encoding to 'LATIN1'", "encoding"],
    ["SET search_path = ''", "setting"],
    ["set session authorization alice", "owner"],
    [`ALTER FUNCTION public.f(a text, "to" integer) OWNER TO "a b"`, "owner"],
    ["ALTER TABLE t RENAME TO owner", "ordinary"],
    ["grant select on table t to alice with grant option", "grant"],
    ["GRANT admin TO alice", "refused"],
    ["ALTER DEFAULT PRIVILEGES FOR ROLE a REVOKE ALL ON TABLES FROM b", "grant"],
    ["CREATE USER MAPPING FOR alice SERVER s", "alone"],
    ["CREATE USER alice", "refused"],
    ["SELECT pg_catalog.setval('s', 1, true)", "sequence value"],
    [`SELECT "pg_catalog"."lowrite"(0, '\\x00')`, "large object"],
    ["COMMENT ON DATABASE d IS 'x'", "database"],
    ["COMMENT ON COLUMN t.database IS 'on database'", "ordinary"],
    ["GRANT CONNECT ON DATABASE d TO alice", "database"],
    ["ALTER DATABASE d SET search_path TO 'x'", "database"],
    ["copy (select 'from stdin') to program 'x'", "refused"],
  ])("%s: %s", (text, kind) => expect(statementKind(text).kind).toBe(kind));

  it("is found in a statement whose literals are tens of megabytes long", () => {
    const long = "x''\\".repeat(5_000_000);
    expect(statementKind(`COMMENT ON TABLE t IS '${long}'`).kind).toBe("ordinary");
    expect(statementKind(`ALTER TABLE t ALTER a SET DEFAULT E'${long}'`).kind).toBe("ordinary");
    expect(statementKind(`DO $x$ ${long} $x$`).kind).toBe("alone");
  });
});

describe("a COPY statement", () => {
  it.each([
    ["COPY public.t (a, b) FROM stdin", { schema: "public", table: "t", direction: "from", place: "stdin" }],
    [`copy "from" ("to") from STDIN with (format csv, null 'x')`, { schema: null, table: "from", place: "stdin" }],
    [`COPY "a""b"."c.d" FROM '/tmp/x'`, { schema: 'a"b', table: "c.d", place: "file" }],
    ["COPY BINARY t FROM stdin", { table: "t", place: "stdin", binary: true }],
    ["copy t from stdin (format 'binary')", { table: "t", binary: true }],
    ["copy (select a from b) to stdout", { direction: "to", place: "stdout" }],
    ["copy t from program 'stdin'", { place: "program" }],
  ])("%s", (text, wanted) => expect(readCopyStatement(text)).toMatchObject(wanted));

  it("is nothing else", () => expect(readCopyStatement("copyright from stdin")).toBeNull());
});

describe("a psql command", () => {
  it.each([
    ["\\connect shop", { kind: "connect", database: "shop" }],
    [`\\c "Sh op"`, { kind: "connect", database: "Sh op" }],
    [`\\connect -reuse-previous=on "dbname='it\\'s'"`, { kind: "connect", database: "it's" }],
    ["\\connect - -", { kind: "connect", database: null }],
    ["\\connect shop alice", { kind: "refuse" }],
    ["\\connect postgres://other/shop", { kind: "refuse" }],
    ["\\encoding LATIN1", { kind: "encoding", encoding: "LATIN1" }],
    ["\\restrict k3y", { kind: "restrict", key: "k3y" }],
    ["\\set ON_ERROR_STOP on", { kind: "skip" }],
    ["\\set AUTOCOMMIT off", { kind: "refuse" }],
    ["\\pset pager off", { kind: "skip" }],
    ["\\;", { kind: "refuse" }],
    ["\\", { kind: "refuse" }],
    ["\\if true", { kind: "refuse" }],
    ["\\o | sh", { kind: "refuse" }],
    ["\\constructor", { kind: "refuse" }],
  ])("%s", (line, wanted) => expect(judgeMetaCommand(line)).toMatchObject(wanted));
});

describe("roles that a statement names", () => {
  it.each([
    ['GRANT SELECT(a), UPDATE(b) ON TABLE t TO alice, "B ob" WITH GRANT OPTION', ["alice", "B ob"]],
    ["REVOKE ALL ON SCHEMA s FROM PUBLIC", []],
    ["ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT ALL ON TABLES TO b", ["a", "b"]],
    ["ALTER TABLE s.t OWNER TO CURRENT_USER", []],
    ["ALTER LARGE OBJECT 1 OWNER TO c", ["c"]],
    ["CREATE SCHEMA s AUTHORIZATION d", ["d"]],
    ["SET SESSION AUTHORIZATION 'e'", ["e"]],
    ["SET SESSION AUTHORIZATION DEFAULT", []],
    ["CREATE POLICY p ON t AS PERMISSIVE FOR UPDATE TO f USING (g IN (h)) WITH CHECK (true)", ["f"]],
    ["CREATE POLICY p ON t FOR UPDATE USING (true)", []],
    ["ALTER TABLE t RENAME COLUMN a TO b", []],
    ["CREATE FUNCTION f() RETURNS int AS 'alter table t owner to x'", []],
  ])("%s", (text, roles) => expect(namedRoles(text)).toEqual(roles));
});
