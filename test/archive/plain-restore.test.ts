import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { createDatabase } from "../../shared/archive/restore/create-database.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import { temporaryFolder } from "../support/belay.ts";
import { createDebianDatabase, debianUrl, describeWithDebian, pgDump, psql, runProgram } from "../support/debian.ts";
import { databaseUrl, runSql, type TestDatabase } from "../support/postgres.ts";
import { restoreScript, scriptOf } from "./plain-support.ts";

const samples = join(import.meta.dirname, "../../../shared/corpora/samples");
const odd = readFileSync(join(import.meta.dirname, "plain-odd.sql"), "utf8");
const role = "plain o'wner";

/** A database that is gone after the test. */
async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createDebianDatabase();
  onTestFinished(() => database.drop());
  return database;
}

describeWithDebian("plain SQL is restored as psql restores it", () => {
  it.each([
    ["pagila", 46_273],
    ["chinook", 15_607],
    ["northwind", 3_362],
    ["netflix", 8_807],
  ])("%s", async (name, rows) => {
    const script = readFileSync(join(samples, `${name}.sql`));
    const [ours, theirs] = [await emptyDatabase(), await emptyDatabase()];
    await psql(theirs.url, script.toString());
    const report = await restoreScript(ours.url, script);
    expect(await pgDump(ours.url)).toBe(await pgDump(theirs.url));
    expect(report).toMatchObject({ format: "plain", resumed: false, rows, warnings: [] });
  });
});

describeWithDebian("what pg_dump writes as plain SQL restores to an equal database", () => {
  let source: TestDatabase;
  let wanted: string;
  let name: string;

  beforeAll(async () => {
    await runSql(debianUrl(), `drop role if exists "${role}"; create role "${role}"`);
    source = await createDebianDatabase();
    name = source.name;
    await psql(source.url, odd);
    await psql(
      source.url,
      `alter table parents owner to "${role}"; alter large object 4712 owner to "${role}";
       grant select on children to "${role}"; grant update (note) on children to "${role}";
       alter default privileges for role "${role}" grant select on tables to public;
       alter database ${name} set work_mem = '5MB'; comment on database ${name} is 'a database'`,
    );
    wanted = await pgDump(source.url);
  });
  afterAll(async () => {
    await source?.drop();
    await runSql(debianUrl(), `drop role if exists "${role}"`);
  });

  const dumped = (...args: string[]) => runProgram("pg_dump", args, { url: source.url });

  it.each([
    [],
    ["--inserts"],
    ["--column-inserts", "--rows-per-insert=7", "--on-conflict-do-nothing"],
    ["--clean", "--if-exists"],
    ["--quote-all-identifiers"],
    ["--serializable-deferrable", "--no-comments", "--no-publications"],
  ])("%j %j %j", async (...args: string[]) => {
    const script = await dumped(...args);
    const target = await emptyDatabase();
    const report = await restoreScript(target.url, script);
    const same = args.includes("--no-comments") ? await pgDump(source.url, "--no-comments") : wanted;
    expect(await pgDump(target.url)).toBe(same);
    expect(report.rows).toBeGreaterThan(1000);
    expect(report.warnings).toEqual([]);
  });

  it("compressed with gzip or zstd, with Windows' line breaks in the SQL, with a byte order mark", async () => {
    const script = await dumped("--inserts", "--no-comments");
    for (const bytes of [gzipSync(script), zstdCompressSync(script), Buffer.from(`\uFEFF${script}`)]) {
      const target = await emptyDatabase();
      await restoreScript(target.url, bytes);
      expect(await pgDump(target.url, "--no-comments")).toBe(await pgDump(source.url, "--no-comments"));
    }
  });

  it("in another encoding, names and rows and literals", async () => {
    const latin = await emptyDatabase();
    await psql(latin.url, `create table "täble" ("ñ\\""ame" text default 'ö'); insert into "täble" values ('é')`);
    for (const args of [[], ["--inserts"]]) {
      const [file, target] = [join(temporaryFolder(), "latin1.sql"), await emptyDatabase()];
      await runProgram("pg_dump", ["--encoding=LATIN1", `--file=${file}`, ...args], { url: latin.url });
      await restoreScript(target.url, readFileSync(file));
      expect(await pgDump(target.url)).toBe(await pgDump(latin.url));
    }
  });

  it("definitions and rows from two scripts, with triggers off", async () => {
    const target = await emptyDatabase();
    await restoreScript(target.url, await dumped("--schema-only"));
    const rows = await dumped("--data-only", "--disable-triggers");
    await restoreScript(target.url, rows, { intoNonEmpty: true });
    await runSql(target.url, "refresh materialized view counted");
    const unordered = (text: string) => text.split("\n").sort().join("\n");
    expect(unordered(await pgDump(target.url))).toBe(unordered(wanted));
  });

  it("of pg_dump --create goes into the database that was asked for, and says what it left out", async () => {
    for (const args of [["--create"], ["--create", "--clean", "--if-exists"]]) {
      const target = await emptyDatabase();
      const report = await restoreScript(target.url, await dumped(...args));
      expect(await pgDump(target.url)).toBe(wanted);
      expect(report.warnings.join()).toContain(`the database ${name} itself is left out: ALTER DATABASE ${name} SET`);
    }
    expect(await pgDump(source.url)).toBe(wanted);
  });

  it("of pg_dump --create goes into a database made for it, with what belongs to the database itself", async () => {
    const url = databaseUrl(debianUrl(), `${name}_made`);
    onTestFinished(() => runSql(debianUrl(), `drop database if exists ${name}_made with (force)`));
    const archive = await scriptOf(await dumped("--create"));
    await createDatabase(url, archive);
    const report = await restoreArchive({ archive, url, made: true, analyze: false });
    expect(report.warnings).toEqual([]);
    const whole = await pgDump(source.url, "--create");
    expect(whole).toContain("work_mem");
    expect((await pgDump(url, "--create")).replaceAll(`${name}_made`, name)).toBe(whole);
  });

  it("without owners and grants when told", async () => {
    const target = await emptyDatabase();
    await restoreScript(target.url, await dumped(), { owners: false, grants: false });
    expect(await pgDump(target.url, "--no-owner")).toBe(await pgDump(source.url, "--no-owner", "--no-acl"));
    expect(await pgDump(target.url)).not.toContain("plain o'wner");
  });

  it("the definitions alone when told", async () => {
    const target = await emptyDatabase();
    const report = await restoreScript(target.url, await dumped("--inserts"), { rows: false });
    expect(await pgDump(target.url, "--schema-only")).toBe(await pgDump(source.url, "--schema-only"));
    expect(report.rows).toBe(0);
    expect(await pgDump(target.url, "--data-only", "--table=public.parents")).not.toContain("näme");
  });

  it("the rows of chosen tables alone, where the tables are", async () => {
    const target = await emptyDatabase();
    const script = await dumped();
    await expect(restoreScript(target.url, script, { tables: ["public.parents"] })).rejects.toMatchObject({
      code: "restore_target",
      message: expect.stringContaining("has no table public.parents"),
    });
    await restoreScript(target.url, await dumped("--schema-only"));
    for (const [format, table] of [
      [script, "public.parents"],
      [await dumped("--inserts"), "public.moods"],
    ] as const) {
      const report = await restoreScript(target.url, format, { tables: [table] });
      expect(report).toMatchObject({ tables: 1, rows: table === "public.moods" ? 2 : 500 });
      const rows = ["--data-only", `--table=${table}`];
      expect((await pgDump(target.url, ...rows)).match(/COPY[\s\S]*?\\\./)?.[0]).toEqual(
        (await pgDump(source.url, ...rows)).match(/COPY[\s\S]*?\\\./)?.[0],
      );
    }
  });
});
