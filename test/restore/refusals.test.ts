import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openArchive } from "../../shared/archive/read/open.ts";
import { createDatabase } from "../../shared/archive/restore/create-database.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import { restoreAnew } from "../../shared/archive/restore/restore-anew.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { isBelayError } from "../../shared/errors.ts";
import { belay } from "../cli/support.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDebianDatabase, debianUrl, describeWithDebian, pgDump } from "../support/debian.ts";
import { databaseUrl, runSql, type TestDatabase } from "../support/postgres.ts";
import { query, restoreInto, stockDump } from "./support.ts";

const sql = `
  create table parent (id int primary key, name text); alter table parent owner to restore_nobody;
  create table child (id int primary key, parent int references parent, note text);
  grant select on child to "Restore Reader"; alter table child enable row level security;
  create policy own on child for select to restore_policy using (note = 'TO somebody');
  insert into parent select i, 'p' || i from generate_series(1, 10) i; insert into child select i, i, 'c' from generate_series(1, 10) i;`;

const makeRoles = `do $$ declare name text; begin foreach name in array array['restore_nobody', 'Restore Reader', 'restore_policy'] loop
  begin execute format('create role %I', name); exception when duplicate_object or unique_violation then null; end; end loop; end $$;`;
const dropRoles = `do $$ declare name text; begin foreach name in array array['restore_nobody', 'Restore Reader', 'restore_policy'] loop
  execute format('drop role if exists %I', name); end loop; end $$;`;

async function refusal(work: Promise<unknown>) {
  const error = await work.then(
    () => new Error("it was not refused"),
    (thrown) => thrown,
  );
  if (!isBelayError(error)) throw error;
  return { code: error.code, message: error.message, hint: error.hint ?? "", details: error.details };
}

describeWithDebian("a restore that must not begin", () => {
  let source: TestDatabase;
  let place: string;
  beforeAll(async () => {
    await runSql(debianUrl(), makeRoles);
    source = await createDebianDatabase(sql);
    place = await stockDump(source.url, "-Fd");
    await source.drop();
    await runSql(debianUrl(), dropRoles);
  });
  afterAll(() => runSql(debianUrl(), dropRoles));

  test("all roles that lack are named at once, with the SQL to make them, and nothing is changed", async () => {
    const target = await createDebianDatabase();
    const { code, message, hint } = await refusal(restoreInto(target.url, place));
    expect(code).toBe("restore_target");
    expect(message).toMatch(/role Restore Reader, role restore_nobody, role restore_policy/);
    expect(hint).toContain('CREATE ROLE "Restore Reader"; CREATE ROLE restore_nobody;');
    expect(hint).toContain("--no-owner and --no-acl");
    expect(await pgDump(target.url)).toBe(await emptyDump());
    await target.drop();
  });

  test("--create leaves no database behind when the restore does not begin", async () => {
    const name = "restore_never_made";
    const url = databaseUrl(debianUrl(), name);
    const refused = await belay(["restore", place, "--into", url, "--create"]);
    expect(refused.code).toBe(3);
    expect(refused.error).toContain("Nothing was changed");
    expect(await query(debianUrl(), `select from pg_database where datname = '${name}'`)).toEqual([]);
  });

  test.each([
    ["a table", "create table kept (); select 1 / 0;", true],
    ["a composite type alone", "create type kept as (a int); select 1 / 0;", true],
    ["nothing", "select 1 / 0;", false],
  ])("--create, ended by an error after %s: the database stays if something is in it", async (_, script, stays) => {
    const name = "restore_half_made";
    const path = join(temporaryFolder(), "half.sql");
    writeFileSync(path, script);
    const archive = await openArchive(pathToFileURL(path).href);
    const { message } = await refusal(restoreAnew({ archive, url: databaseUrl(debianUrl(), name) }));
    expect(message).toContain("22012");
    expect(await query(debianUrl(), `select from pg_database where datname = '${name}'`)).toHaveLength(stays ? 1 : 0);
    await runSql(debianUrl(), `drop database if exists ${name}`);
  });

  test.each([
    ["create type pair as (a int)", "type public.pair"],
    ["create type shell", "type public.shell"],
    ['create collation c from "C"', "collation public.c"],
    ["create operator === (leftarg = int, rightarg = int, function = int4eq)", "operator public.==="],
    ["create text search configuration ts (copy = simple)", "text search configuration public.ts"],
    ["create foreign data wrapper fdw", "foreign-data wrapper fdw"],
    ["create cast (int as name) with inout", "cast from integer to name"],
    [
      "alter default privileges grant select on tables to public",
      "default privileges on new relations belonging to role postgres",
    ],
  ])("a database that has nothing but what %j makes is not empty", async (sql, named) => {
    const target = await createDebianDatabase(sql);
    const { code, message } = await refusal(restoreInto(target.url, place, { owners: false, grants: false }));
    expect(code).toBe("restore_target");
    expect(message).toContain(`is not empty: it has ${named}`);
    await target.drop();
  });

  test("without owners and grants only the policy's role is needed", async () => {
    const target = await createDebianDatabase();
    const options = { owners: false, grants: false };
    expect((await refusal(restoreInto(target.url, place, options))).message).toMatch(
      /archive needs: role restore_policy$/,
    );
    await runSql(debianUrl(), "create role restore_policy");
    const report = await restoreInto(target.url, place, options);
    expect(report.rows).toBe(20);
    expect(
      await query(
        target.url,
        "select tableowner, relacl::text as acl from pg_tables join pg_class on relname = tablename where schemaname = 'public' order by tablename",
      ),
    ).toEqual([
      { tableowner: "postgres", acl: null },
      { tableowner: "postgres", acl: null },
    ]);
    await target.drop();
    await runSql(debianUrl(), dropRoles);
  });

  test("a role that may not act as the owners is told which", async () => {
    await runSql(debianUrl(), `${makeRoles} create role restore_weak login password 'weak';`);
    const target = await createDebianDatabase("grant all on database postgres to restore_weak");
    await runSql(
      target.url,
      `do $$ begin execute format('grant create on database %I to restore_weak', current_database()); end $$; grant all on schema public to restore_weak`,
    );
    const weak = new URL(target.url);
    [weak.username, weak.password] = ["restore_weak", "weak"];
    const { code, message, hint } = await refusal(restoreInto(weak.href, place));
    expect(code).toBe("restore_target");
    expect(message).toContain("restore_weak may not act as the roles that own objects: postgres, restore_nobody");
    expect(hint).toContain("--no-owner");
    const report = await restoreInto(weak.href, place, { owners: false });
    expect(report.rows).toBe(20);
    await target.drop();
    await runSql(
      debianUrl(),
      `revoke all on database postgres from restore_weak; drop role restore_weak; ${dropRoles}`,
    );
  });

  test.each([
    ["a table", "create table in_the_way ()", "public.in_the_way"],
    ["a schema", "create schema other", "schema other"],
    ["a function", "create function f() returns int language sql as 'select 1'", "function public.f"],
    ["an extension", "create extension pg_trgm", "extension pg_trgm"],
    ["a large object", "select lo_create(77)", "large object 77"],
    ["a publication", "create publication p", "publication p"],
  ])("%s in the database is in the way, and is named", async (_, made, name) => {
    const target = await createDebianDatabase(made);
    const { code, message } = await refusal(restoreInto(target.url, place));
    expect(code).toBe("restore_target");
    expect(message).toContain(`is not empty: it has ${name}`);
    await target.drop();
  });

  test("a database that exists is not created again", async () => {
    const target = await createDebianDatabase();
    const archive = await openArchive(place);
    expect(await refusal(createDatabase(target.url, archive))).toMatchObject({
      code: "restore_target",
      details: { reason: "exists" },
    });
    await target.drop();
    expect(await createDatabase(target.url, archive)).toEqual({ warnings: [] });
    await runSql(debianUrl(), makeRoles);
    expect((await restoreArchive({ archive, url: target.url, made: true })).rows).toBe(20);
    await target.drop();
    await runSql(debianUrl(), dropRoles);
  });

  test("the database that the archive was made from is refused, also where a non-empty one would be taken", async () => {
    const own = await createDebianDatabase("create table t (id int primary key); insert into t values (1)");
    const belay = testBelay({ database: own.url });
    const { id } = await dumpDatabase(belay, { reason: "test" });
    const archive = await openArchive(id, { store: belay.store });
    for (const intoNonEmpty of [false, true])
      expect(await refusal(restoreArchive({ archive, url: own.url, intoNonEmpty }))).toMatchObject({
        code: "restore_target",
        details: { reason: "source" },
      });
    expect(await query(own.url, "select count(*)::int as rows from t")).toEqual([{ rows: 1 }]);
    await own.drop();
  });

  test("an extension that the server does not have is named", async () => {
    const target = await createDebianDatabase();
    const archive = await openArchive(place);
    if (archive.format === "plain") throw new Error("not plain");
    const [first] = archive.toc.entries;
    const entry = {
      ...first!,
      dumpId: 90_001,
      desc: "EXTENSION",
      tag: "no_such_extension",
      defn: "CREATE EXTENSION no_such_extension;",
    };
    const changed = { ...archive, toc: { ...archive.toc, entries: [...archive.toc.entries, entry] } };
    const { message } = await refusal(
      restoreArchive({ archive: changed, url: target.url, owners: false, grants: false }),
    );
    expect(message).toContain("role restore_policy, extension no_such_extension");
    await target.drop();
  });
});

let bare: string | undefined;
async function emptyDump(): Promise<string> {
  if (bare !== undefined) return bare;
  const empty = await createDebianDatabase();
  bare = await pgDump(empty.url);
  await empty.drop();
  return bare;
}
