import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { surveyPlain } from "../../shared/archive/read/plain/survey.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";
import { failureOf, restoreScript, scriptOf } from "./plain-support.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database?.drop());
beforeEach(() => runSql(database.url, "drop schema public cascade; create schema public"));

/** Rows of the first column, or null where the table is not there. */
async function rowsOf(table: string): Promise<unknown[] | null> {
  const session = await openSession(database.url);
  try {
    const [found] = await session.sql`select to_regclass(${table}) is not null as there`;
    if (!found!.there) return null;
    return (await session.run(`select * from ${table}`)).map((row) => Object.values(row)[0]);
  } finally {
    await session.close();
  }
}

const failed = (script: string, options = {}) => failureOf(restoreScript(database.url, script, options));

describe("the first error ends a script and names its line", () => {
  it("in the middle of many INSERTs, whose earlier rows are in as with psql", async () => {
    const rows = Array.from({ length: 3000 }, (_, n) => `insert into t values (${n === 2500 ? 7 : n});\n`).join("");
    const error = await failed(`create table t (n int primary key);\n\n${rows}insert into t values (9999);`);
    expect(error).toMatchObject({
      code: "archive_invalid",
      message: expect.stringContaining("dump.sql:2503 (insert into t"),
      details: { line: 2503, sqlstate: "23505", done: { statements: 2501, rows: 2500 } },
    });
    expect(error.hint).toContain("2,501 statements ran and 2,500 rows came in");
    expect(error.hint).toContain("Drop the database");
    expect(await rowsOf("t")).toHaveLength(2500);
  });

  it("inside a transaction of the script, of which nothing stays", async () => {
    const rows = Array.from({ length: 20 }, (_, n) => `insert into t values (${n % 15});\n`).join("");
    const error = await failed(`create table t (n int primary key);\nbegin;\n${rows}commit;\n`);
    expect(error.message).toContain("dump.sql:18 (insert into t");
    expect(error.hint).toContain("What the transaction begun in line 2 did is rolled back");
    expect(await rowsOf("t")).toEqual([]);
  });

  it("in a row of COPY, without the row's values", async () => {
    const error = await failed("create table t (n int);\ncopy t from stdin;\n1\n2\nsecret\n4\n\\.\n");
    expect(error.message).toContain("dump.sql:5 (copy t");
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain("secret");
    expect(await rowsOf("t")).toEqual([]);
  });

  it("in a row of a table so large that two sessions load it, and then no row is in", async () => {
    const rows = Array.from({ length: 60_000 }, (_, n) => `${n}\t${"x".repeat(300)}\n`);
    const script = (list: string[]) => `create table t (n int, v text);\ncopy t from stdin;\n${list.join("")}\\.\n`;
    const report = await restoreScript(database.url, script(rows), { jobs: 2 });
    expect(report.rows).toBe(60_000);
    expect(new Set(await rowsOf("t"))).toEqual(new Set(rows.keys()));
    for (const at of [10, 31_000, 45_000, 59_999]) {
      await runSql(database.url, "drop table t");
      const error = await failed(script(rows.with(at, `x${at}\tsecret\n`)));
      expect(error.message).toContain(`dump.sql:${at + 3} (copy t`);
      expect(error.message).not.toContain("secret");
      expect(await rowsOf("t")).toEqual([]);
    }
    await runSql(database.url, "drop table t");
    const cut = await failed(script(rows).slice(0, -3));
    expect(cut.message).toContain("dump.sql:60003: the rows of the COPY in line 2 end without");
  });

  it("inside a long statement, at the place that the server names", async () => {
    const error = await failed("create table t (n int);\n\nselect 1,\n  'ä',\n  missing\n;");
    expect(error.message).toContain("dump.sql:5 (select)");
  });

  it("that the server will not run together with others, alone", async () => {
    await restoreScript(
      database.url,
      "create table t (n int);create index concurrently i on t (n);vacuum t;begin;insert into t values (1);savepoint a;insert into t values (2);rollback to a;commit;",
    );
    expect(await rowsOf("t")).toEqual([1]);
  });

  it("when the connection goes, saying what was done", async () => {
    const error = await failed(
      "create table t (n int);\ninsert into t values (1);\nselect pg_terminate_backend(pg_backend_pid());\ninsert into t values (2);",
    );
    expect(error).toMatchObject({ code: "connection_lost", details: { line: 3, done: { statements: 2, rows: 1 } } });
    expect(error.hint).toContain("restore again");
    expect(await rowsOf("t")).toEqual([1]);
  });

  it("when the last transaction is never ended", async () => {
    const error = await failed("create table t (n int);\n\nbegin;\ninsert into t values (1);\n");
    expect(error.message).toContain("dump.sql:3: the transaction that begins here never ends");
    expect(await rowsOf("t")).toEqual([]);
  });
});

describe("nothing runs of a script that", () => {
  const first = "create table t (n int);\n";
  it.each([
    ["create role mallory superuser;", "makes or changes a role"],
    ["alter user postgres password 'x';", "makes or changes a role"],
    ["grant pg_read_all_data to mallory;", "grants a role"],
    ["alter system set fsync = off;", "changes the server's configuration"],
    ["drop database production;", "drops another database, production"],
    ["create database one;\n\\connect one\ncreate database two;", "creates another database, two"],
    ["\\connect production", "connects to another database, production"],
    ["create tablespace x location '/tmp';", "makes or changes a tablespace"],
    ["copy t from program 'id';", "runs a program on the server"],
    ["/* x */ COPY t /* y */ FROM '/etc/passwd';", "reads a file of the server"],
    ["copy (select 1) to '/tmp/x';", "writes rows out of the database"],
    ["prepare transaction 'x';", "leaves a prepared transaction"],
    ["\\! id", "\\! runs a program of the machine"],
    ["select 'open", "a string begins here and never ends"],
    ["copy t from stdin;\n1\n", "end without \\."],
  ])("has %j", async (statement, problem) => {
    const error = await failed(`${first}${statement}`);
    expect(error).toMatchObject({ code: "archive_invalid", message: expect.stringContaining(problem) });
    expect(error.message).toMatch(/dump\.sql:[234]: /);
    expect(error.hint).toBeTruthy();
    expect(await rowsOf("t")).toBeNull();
  });

  it("was cut before pg_dump's closing line", async () => {
    const error = await failed(`--\n-- PostgreSQL database dump\n--\n\n${first}`);
    expect(error.message).toContain("was cut");
    expect(await rowsOf("t")).toBeNull();
  });

  it("needs roles and extensions that the server lacks", async () => {
    const error = await failed(
      `${first}alter table t owner to nobody_here;\ngrant select on table t to "No body", public;\ncreate extension no_such;`,
    );
    expect(error).toMatchObject({
      code: "restore_target",
      details: { roles: ["nobody_here", "No body"], extensions: ["no_such"] },
    });
    expect(await rowsOf("t")).toBeNull();
  });

  it("would go into a database that is not empty, or is to be resumed", async () => {
    await runSql(database.url, "create table other (n int)");
    expect(await failed(first)).toMatchObject({ code: "restore_target" });
    expect(await failed(first, { resume: true })).toMatchObject({ code: "usage" });
    expect(await rowsOf("t")).toBeNull();
    await restoreScript(database.url, first, { intoNonEmpty: true });
    expect(await rowsOf("t")).toEqual([]);
  });
});

describe("a script of other hands", () => {
  it("of a newer pg_dump goes into a server that lacks its settings, which is said", async () => {
    const older = await createDatabase({ major: 15 });
    try {
      const report = await restoreScript(
        older.url,
        "\\restrict aB1\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\ncreate table t (n int);\n\n\\unrestrict aB1\n",
      );
      expect(report.warnings).toEqual(["the server does not know the setting transaction_timeout: it is left out"]);
      const unknown = failureOf(restoreScript(older.url, "SET no_such_setting = 0;", { intoNonEmpty: true }));
      expect((await unknown).message).toContain("dump.sql:1");
    } finally {
      await older.drop();
    }
  });

  it("such as Supabase's, with triggers off and settings put back in between", async () => {
    const report = await restoreScript(
      database.url,
      `SET session_replication_role = replica;
       CREATE TABLE IF NOT EXISTS "public"."one" ("id" int primary key, "two" int);
       CREATE TABLE IF NOT EXISTS "public"."two" ("id" int primary key);
       ALTER TABLE ONLY "public"."one" ADD CONSTRAINT "fk" FOREIGN KEY ("two") REFERENCES "public"."two"("id");
       INSERT INTO "public"."one" ("id", "two") VALUES
\t(1, 5),
\t(2, 6);
       INSERT INTO "public"."two" ("id") VALUES (5), (6);
       RESET ALL;
       \\echo done
       \\set ON_ERROR_STOP off`,
    );
    expect(report).toMatchObject({ tables: 2, rows: 4 });
    expect(await rowsOf("public.one")).toEqual([1, 2]);
  });

  it("asks for more than memory holds and for nothing in particular", async () => {
    const before = process.memoryUsage().rss;
    await restoreScript(
      database.url,
      "select repeat('x', 10000) from generate_series(1, 30000);\nselect 1; table pg_class;",
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it("brings planner statistics of PostgreSQL 18 to an older server", async () => {
    const report = await restoreScript(
      database.url,
      "create table t (n int);\nSELECT * FROM pg_catalog.pg_restore_relation_stats('version', '180000'::integer, 'relation', 'public.t'::regclass);",
    );
    expect(report.warnings.join()).toContain("planner statistics are for PostgreSQL 18");
  });

  it("reads dates as the server does when nobody says how", async () => {
    await restoreScript(database.url, "create table t (d text);insert into t values ('02/01/2020'::date::text);");
    expect(await rowsOf("t")).toEqual(["2020-02-01"]);
  });
});

describe("a survey of a script", () => {
  it("counts tables, rows and statements, and names what it needs", async () => {
    const script = `--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 17.2\n-- Dumped by pg_dump version 18.1 (Debian)\n
SET client_encoding = 'UTF8';
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ grant all on t to nobody $$;
ALTER FUNCTION f() OWNER TO alice;
CREATE POLICY p ON "T" FOR SELECT TO bob, "Car ol" USING (x IN (SELECT y TO z));
ALTER DEFAULT PRIVILEGES FOR ROLE dave IN SCHEMA s GRANT SELECT ON TABLES TO erin;
REVOKE ALL ON TABLE s.t FROM PUBLIC, frank;
COPY s."T" (a, b) FROM stdin;
1\t2
3\t4
\\.
INSERT INTO s.t (a) VALUES (1), ((2)), ('(3), (4)');
INSERT INTO s.t VALUES (f(1, 2));
INSERT INTO u DEFAULT VALUES;
SELECT pg_catalog.lo_create('4711');
--\n-- PostgreSQL database dump complete\n--\n`;
    expect(await surveyPlain(await scriptOf(script))).toEqual({
      tables: [
        { schema: "s", table: "T", rows: 2 },
        { schema: "s", table: "t", rows: 4 },
        { schema: null, table: "u", rows: 0 },
      ],
      statements: 12,
      insertRows: 4,
      largeObjects: 1,
      extensions: ["uuid-ossp"],
      roles: ["alice", "bob", "Car ol", "dave", "erin", "frank"],
      database: null,
      complete: true,
      dumpVersion: "18.1 (Debian)",
      serverVersion: "17.2",
      problems: [],
    });
  });
});
