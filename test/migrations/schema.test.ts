import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { appendAudit, verifyAudit } from "../../shared/audit.ts";
import { belayInstalled, installBelay, requireBelay } from "../../shared/install.ts";
import { splitSections } from "../../shared/migrations/layouts/sections.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

const file = join(import.meta.dirname, "../../supabase/migrations/20261120000000_belay.sql");

describe.each([15, 17, 18] as const)("schema belay on Postgres %i", (major) => {
  let database: TestDatabase;
  let session: Session;
  beforeAll(async () => {
    database = await createDatabase({ major });
    session = await openSession(database.url);
  });
  afterAll(async () => {
    await session?.close();
    await database?.drop();
  });

  const rollback = (name: string, dryRun = false) =>
    session.sql`select success, message, sql_executed as sql from belay.execute_migration_rollback(${name}, ${dryRun})`.then(
      (rows) => rows[0]!,
    );
  const ledger = (name: string, sql: string | null) =>
    session.sql`insert into belay.migration_history (migration_name, migration_version, rollback_sql, checksum) values (${name}, ${name}, ${sql}, ${"0".repeat(64)})`;

  it("is missing before, with the next step, and installs once", async () => {
    await expect(requireBelay(session)).rejects.toMatchObject({
      code: "belay_not_installed",
      hint: expect.stringContaining("belay init"),
    });
    expect([await belayInstalled(session), await installBelay(session), await installBelay(session)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("has row-level security on every table, and nothing for Supabase's roles", async () => {
    const [open] =
      await session.sql`select count(*)::int as n from pg_class where relnamespace = 'belay'::regnamespace and relkind = 'r' and not relrowsecurity`;
    expect(open!.n).toBe(0);
    const [granted] = await session.sql`
      select count(*)::int as n from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
      where pronamespace = 'belay'::regnamespace and a.grantee <> proowner`;
    expect(granted!.n).toBe(0);
  });

  it("chains audit rows, finds a changed, a missing and a cut row, and refuses changes", async () => {
    for (const subject of ["a", "b", "c"])
      await appendAudit(session, { actor: "me", action: "test", subject, details: { z: 1, a: [1.5, "é"] } });
    const whole = await verifyAudit(session);
    expect(whole).toMatchObject({ ok: true, rows: 3, head: { id: 3 } });
    for (const sql of [
      "update belay.audit_log set actor = 'x'",
      "delete from belay.audit_log",
      "truncate belay.audit_log",
      "set session_replication_role = replica; delete from belay.audit_log",
    ])
      await expect(session.run(sql), sql).rejects.toThrow(/append-only/);
    const broken = async (sql: string, anchor?: { id: number; hash: string }) => {
      await session.run(
        `begin; set local session_replication_role = origin; alter table belay.audit_log disable trigger all; ${sql}`,
      );
      const verdict = await verifyAudit(session, anchor);
      await session.run("rollback");
      return verdict;
    };
    expect(await broken("update belay.audit_log set actor = 'you' where id = 2")).toMatchObject({
      ok: false,
      brokenAt: 2,
      problem: "row 2 was changed",
    });
    expect(await broken("delete from belay.audit_log where id = 2")).toMatchObject({
      ok: false,
      brokenAt: 2,
      problem: "row 2 is missing",
    });
    expect(await broken("delete from belay.audit_log where id = 3")).toMatchObject({ ok: true, rows: 2 });
    expect(await broken("delete from belay.audit_log where id = 3", whole.head)).toMatchObject({
      ok: false,
      brokenAt: 3,
    });
  });

  it("keeps one chain when two write at once", async () => {
    const other = await openSession(database.url);
    await Promise.all(
      [session, other].map(async (one, index) => {
        for (let n = 0; n < 10; n += 1)
          await appendAudit(one, { actor: String(index), action: "test", subject: String(n) });
      }),
    );
    await other.close();
    expect(await verifyAudit(session)).toMatchObject({ ok: true, rows: 23 });
  });

  it("runs a rollback that destroys nothing, and no other", async () => {
    await session.run(`create table t (id serial primary key, a text, b text); insert into t (a) select 'x' from generate_series(1, 10);
      create index t_a on t (a); create function f() returns int language sql as 'select 1'; create type e as enum ('x', 'y');
      create view v as select a from t; comment on table t is 'old'; create table child (t int references t on delete cascade); insert into child values (3);
      create function indirect() returns void language plpgsql as 'begin delete from t where id = 3; end'; select lo_create(4711)`);
    const destroying: Record<string, string> = {
      "drop table": "drop table t cascade",
      "drop table unqualified path": "set search_path = public; drop table child",
      "drop column": "alter table t drop column b",
      "delete by function": "select indirect()",
      "counters off": "do $$ begin set local track_counts = off; delete from child; end $$",
      truncate: "truncate child",
      "drop view": "drop view v",
      "drop function": "drop function f()",
      "replace function": "create or replace function f() returns int language sql as 'select 2'",
      "enum label": "alter type e rename value 'x' to 'z'",
      comment: "comment on table t is 'new'",
      "type change": "alter table t alter b type varchar(9)",
      setval: "select setval('t_id_seq', 1)",
      "large object": "select lo_unlink(4711)",
      grant: "grant select on t to public",
      update: "update t set a = 'y'",
      "belay itself": "delete from belay.migration_dependencies",
      role: "create role belay_tmp_role; set local role belay_tmp_role",
      "unknown index": "drop index t_a",
      detach: "alter table child no inherit t",
      "drop schema": "drop schema public cascade",
      catalog: "delete from pg_description",
    };
    for (const [name, sql] of Object.entries(destroying)) {
      await ledger(name, sql);
      const result = await rollback(name);
      expect(result.success, `${name}: ${result.message}`).toBe(false);
      expect(result.message).toContain(`belay rollback ${name}`);
    }
    const [rows] =
      await session.sql`select (select count(*)::int from t) as t, (select count(*)::int from child) as c, (select last_value::int from t_id_seq) as s, obj_description('t'::regclass) as d`;
    expect(rows).toEqual({ t: 10, c: 1, s: 10, d: "old" });
    const [statuses] =
      await session.sql`select count(*)::int as n from belay.migration_history where status <> 'applied'`;
    expect(statuses!.n).toBe(0);

    await ledger("harmless", "create table again (i int); insert into again values (1); create index on t (b)");
    expect(await rollback("harmless")).toMatchObject({ success: true });
    expect(
      await session.sql`select status, rollback_by is not null as who from belay.migration_history where migration_name = 'harmless'`,
    ).toMatchObject([{ status: "rolled_back", who: true }]);
    expect(await rollback("harmless")).toMatchObject({
      success: false,
      message: expect.stringContaining("already rolled back"),
    });
    expect(await verifyAudit(session)).toMatchObject({ ok: true });
  });

  it("does not take another session's DROP ROLE for a loss of the rollback's own", async () => {
    const other = await openSession(database.url);
    await other.run(`create role belay_elsewhere; comment on role belay_elsewhere is 'x';
      alter role belay_elsewhere set work_mem = '8MB'; grant pg_monitor to belay_elsewhere`);
    await ledger("waits", "select pg_sleep(2)");
    const [result] = await Promise.all([rollback("waits"), other.run("select pg_sleep(1); drop role belay_elsewhere")]);
    expect(result).toMatchObject({ success: true });
    await other.run("create role belay_elsewhere");
    await ledger("drops role", "drop role belay_elsewhere");
    expect(await rollback("drops role")).toMatchObject({ success: false });
    await other.run("drop role belay_elsewhere");
    await other.close();
  });

  it("does not take another session's DROP DATABASE for a loss of the rollback's own", async () => {
    const lost = (catalog: string, object: number | null, row: object) => session.sql`
      with a as (
        select array_agg(catalog) as catalogs, array_agg(object) as objects, array_agg(line) as lines from belay.catalog_account()
      )
      select l.object from a, belay.losses('harmless', a.catalogs || ${catalog}::regclass::oid,
        a.objects || ${object}::bigint::oid, a.lines || ${`${catalog} ${JSON.stringify(row)}`}::text) l`;
    const gone = 4294967000;
    const [here] = await session.sql`
      select oid::text, 'pg_database'::regclass::oid::text as class from pg_database where datname = current_database()`;
    expect(await lost("pg_database", gone, { oid: String(gone), datname: "x" })).toHaveLength(0);
    const comment = (objoid: string, classoid: string) => lost("pg_shdescription", null, { objoid, classoid });
    expect(await comment(String(gone), here!.class)).toHaveLength(0);
    expect(await comment(here!.oid, here!.class)).toHaveLength(1);
    expect(await comment(String(gone), "1260")).toHaveLength(0);
    expect(await comment(String(gone), "1213")).toHaveLength(1);
    expect(await lost("pg_db_role_setting", null, { setdatabase: String(gone) })).toHaveLength(0);
    expect(await lost("pg_db_role_setting", null, { setdatabase: "0", setrole: "10" })).toHaveLength(1);
    expect(await lost("pg_class", gone, { relkind: "r" })).toHaveLength(1);
  });

  it("shows the SQL in a dry run, refuses what does not parse, and names dependents", async () => {
    await ledger("typo", "DROP TABLE IF NOT EXISTS t");
    expect(await rollback("typo", true)).toMatchObject({
      success: false,
      message: expect.stringContaining('syntax error at or near "NOT"'),
    });
    expect(await rollback("drop table", true)).toMatchObject({ success: true, sql: "drop table t cascade" });
    for (const [name, sql] of [
      ["semicolon", "drop table t;"],
      ["ends in comment", "drop table t; -- all\n"],
      [
        "body",
        "do $$ begin perform 1; end $$;\ncreate function g() returns int language sql begin atomic; select 1; end;",
      ],
    ] as const) {
      await ledger(name, sql);
      expect(await rollback(name, true), name).toMatchObject({ success: true });
    }
    await ledger("empty", "-- nothing\n/* to do */");
    expect(await rollback("empty", true)).toMatchObject({
      success: false,
      message: expect.stringContaining("no rollback SQL"),
    });
    expect(await rollback("unknown", true)).toMatchObject({
      success: false,
      message: expect.stringContaining("not in the ledger"),
    });
    await session.sql`insert into belay.migration_dependencies (migration_name, depends_on) values ('update', 'truncate')`;
    expect(await session.sql`select * from belay.can_rollback_migration('truncate')`).toMatchObject([
      { can_rollback: false, dependent_migrations: ["update"] },
    ]);
    const listed =
      await session.sql`select migration_name, blocking_reason from belay.list_rollbackable_migrations() where not can_rollback order by 1`;
    expect(listed.map((row) => row.migration_name)).toEqual(["empty", "truncate"]);
  });

  it("stores a snapshot for comparison, and refuses one of an unknown migration", async () => {
    const [row] = await session.sql`select belay.create_migration_snapshot('truncate', 'before it') as id`;
    expect(
      await session.sql`select moment, origin, (select count(*) from jsonb_object_keys(account)) > 10 as full from belay.snapshots where id = ${row!.id}`,
    ).toMatchObject([{ moment: "manual", origin: "sql", full: true }]);
    await expect(session.run("select belay.create_migration_snapshot('nope', '')")).rejects.toThrow(
      /not in the ledger/,
    );
  });

  it("has a rollback of its own, which refuses while history exists and removes all otherwise", async () => {
    const section = splitSections({ path: file, name: "belay", text: readFileSync(file, "utf8") }).rollback!;
    expect(section.live).toBe(false);
    await expect(session.run(section.sql)).rejects.toThrow(/holds history/);
    const fresh = await createDatabase({ major });
    const other = await openSession(fresh.url);
    await installBelay(other);
    await other.run(section.sql);
    expect(await belayInstalled(other)).toBe(false);
    await other.close();
    await fresh.drop();
  });
});

describe("schema belay beside Supabase's roles", () => {
  it("gives them nothing", async () => {
    const database = await createDatabase();
    const session = await openSession(database.url);
    await session.run(`do $$ begin
      if not exists (select from pg_roles where rolname = 'anon') then create role anon; create role authenticated; create role service_role bypassrls; end if;
    end $$; alter default privileges grant all on tables to anon, authenticated, service_role; alter default privileges grant all on functions to anon, authenticated, service_role`);
    await installBelay(session);
    for (const role of ["anon", "authenticated", "service_role"]) {
      const [row] = await session.sql`
        select has_schema_privilege(${role}, 'belay', 'usage') as schema,
          (select count(*)::int from pg_class where relnamespace = 'belay'::regnamespace and relkind = 'r' and has_table_privilege(${role}, oid, 'select')) as tables,
          (select count(*)::int from pg_proc where pronamespace = 'belay'::regnamespace and has_function_privilege(${role}, oid, 'execute')) as functions`;
      expect(row, role).toEqual({ schema: false, tables: 0, functions: 0 });
    }
    await session.run(
      "alter default privileges revoke all on tables from anon, authenticated, service_role; alter default privileges revoke all on functions from anon, authenticated, service_role",
    );
    await session.close();
    await database.drop();
  });
});
