import { afterAll, beforeAll, expect, test } from "vitest";
import { belay } from "../cli/support.ts";
import { createDebianDatabase, debianUrl, describeWithDebian, pgDump } from "../support/debian.ts";
import { databaseUrl, runSql, type TestDatabase } from "../support/postgres.ts";
import { stockDump } from "./support.ts";

describeWithDebian("belay restore", () => {
  let source: TestDatabase;
  let place: string;
  beforeAll(async () => {
    source = await createDebianDatabase(
      "create table t (id int primary key, note text); insert into t select i, 'n' || i from generate_series(1, 300) i; create table u (id serial); insert into u default values",
    );
    await runSql(
      source.url,
      "do $$ begin execute format('alter database %I set work_mem to ''5MB''', current_database()); end $$",
    );
    place = await stockDump(source.url, "-Fd");
  });
  afterAll(() => source.drop());

  const made = (name: string) => databaseUrl(debianUrl(), name);
  const drop = (name: string) => runSql(debianUrl(), `drop database if exists ${name} with (force)`);

  test("--create makes the database with the archived one's settings, and says what was done", async () => {
    const name = `made_${source.name}`;
    const { code, out } = await belay(["restore", place, "--into", made(name), "--create", "-j", "1"]);
    expect(code).toBe(0);
    expect(out).toMatch(/✓ Restored file:\/\/\S+ into database 127\.0\.0\.1:\d+\/made_test_/);
    expect(out).toMatch(/2 tables, 301 rows/);
    // What belongs to the database itself carries its name.
    const dump = async (url: string, name: string) => (await pgDump(url, "--create")).replaceAll(name, "NAME");
    expect(await dump(made(name), name)).toBe(await dump(source.url, source.name));
    const again = await belay(["restore", place, "--into", made(name), "--create"]);
    expect(again).toMatchObject({ code: 3 });
    expect(again.error).toContain("exists already");
    const full = await belay(["restore", place, "--into", made(name), "--json"]);
    expect(full.code).toBe(3);
    expect(JSON.parse(full.out).error).toMatchObject({ code: "restore_target", details: { reason: "not_empty" } });
    await drop(name);
  });

  test("--create --resume begins where there is no database yet, and says what to do where there is but no restore", async () => {
    const name = `begun_${source.name}`;
    const again = ["restore", place, "--into", made(name), "--create", "--resume"];
    const first = await belay(again);
    expect(first.code).toBe(0);
    expect(first.out).toMatch(/2 tables, 301 rows/);
    const second = await belay(again);
    expect(second.code).toBe(3);
    expect(second.error).toContain("without --resume, and without --create");
    await drop(name);
  });

  test("--json prints the report; --table, --schema-only, --no-owner, --no-acl and --no-analyze are heard", async () => {
    const target = await createDebianDatabase();
    const flags = ["--table", "public.t", "--no-owner", "--no-acl", "--no-analyze", "--index-memory", "100", "--json"];
    const { code, out } = await belay(["restore", place, "--into", target.url, ...flags]);
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ format: "directory", tables: 1, rows: 300, resumed: false, warnings: [] });
    expect(report.phases.map(({ name }: { name: string }) => name)).toEqual([
      "preflight",
      "schema",
      "rows",
      "indexes",
      "finish",
    ]);
    expect(report.megabytesPerSecond).toBeGreaterThan(0);
    await target.drop();
    const bare = await createDebianDatabase();
    expect(
      JSON.parse((await belay(["restore", place, "--into", bare.url, "--schema-only", "--json"])).out),
    ).toMatchObject({ rows: 0, tables: 0 });
    await bare.drop();
  });

  test.each([
    [["restore", "x", "--jobs", "2"], /needs --into URL/],
    [["restore", "x", "--into", "mysql://h/d"], /--into is not a postgres:\/\/ URL/],
    [["restore", "file:///nowhere/at/all", "--into", "postgres://h/d"], /nothing at file:\/\/\/nowhere\/at\/all/],
  ])("%j is a usage error that says what to do", async (words, said) => {
    const { code, error } = await belay(words);
    expect(code).toBe(2);
    expect(error).toMatch(said);
    expect(error).toContain("→");
  });

  test("jobs out of range are a usage error", async () => {
    const { code, error } = await belay(["restore", place, "--into", source.url, "--jobs", "0"]);
    expect(code).toBe(2);
    expect(error).toContain("--jobs 0 is not a number from 1 to 64");
  });
});
