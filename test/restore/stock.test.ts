import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { load, rich, samples } from "../archive/support.ts";
import { createDebianDatabase, debianUrl, describeWithDebian, pgDump, pgRestore } from "../support/debian.ts";
import { createDatabase, runSql, type TestDatabase } from "../support/postgres.ts";
import { query, restoreInto, stockDump } from "./support.ts";

const corpora = fileURLToPath(new URL("../../../shared/corpora/archives", import.meta.url));
const makeRoles = ["alice", "bob"]
  .map(
    (role) => `do $$ begin create role ${role}; exception when duplicate_object or unique_violation then null; end $$;`,
  )
  .join("\n");

describeWithDebian("restoring what stock pg_dump wrote", () => {
  let source: TestDatabase;
  let wanted: string;
  beforeAll(async () => {
    source = await createDebianDatabase();
    await load(source.url, rich);
    await runSql(
      source.url,
      "select lo_from_bytea(4711, 'a large object'), lo_from_bytea(4712, ''); comment on large object 4711 is 'its comment'",
    );
    wanted = await pgDump(source.url);
  });
  afterAll(() => source.drop());

  test.each([
    ["directory format", ["-Fd"], 1],
    ["directory format, four sessions", ["-Fd", "-j2"], 4],
    ["directory format, not compressed", ["-Fd", "-Z0"], 2],
    ["custom format", ["-Fc"], 2],
    ["custom format, not compressed, one session", ["-Fc", "-Z0"], 1],
    ["INSERT statements", ["-Fd", "--inserts"], 2],
    ["INSERT statements of several rows in custom format", ["-Fc", "--rows-per-insert=7", "--column-inserts"], 2],
    ["through the partitions' root", ["-Fd", "--load-via-partition-root"], 2],
  ])("%s: the database equals its source by pg_dump", async (_, args, jobs) => {
    const place = await stockDump(source.url, ...args);
    const target = await createDebianDatabase();
    const report = await restoreInto(target.url, place, { jobs });
    expect(await pgDump(target.url)).toBe(wanted);
    expect(report.warnings).toEqual([]);
    expect(report.rows).toBeGreaterThan(1_800);
    await target.drop();
  });

  test("in another encoding than the database's", async () => {
    const latin = await createDebianDatabase(
      "create table grüße (id int primary key, \"wört\" text); insert into grüße values (1, 'äöü'), (2, 'plain')",
    );
    const place = await stockDump(latin.url, "-Fd", "--encoding=LATIN1");
    const inserts = await stockDump(latin.url, "-Fc", "--inserts", "--encoding=LATIN1");
    for (const one of [place, inserts]) {
      const target = await createDebianDatabase();
      await restoreInto(target.url, one);
      expect(await pgDump(target.url)).toBe(await pgDump(latin.url));
      await target.drop();
    }
    await latin.drop();
  });

  test("a dump of the schema alone, and --schema-only of a whole one", async () => {
    const [bare, whole] = [await stockDump(source.url, "-Fd", "-s"), await stockDump(source.url, "-Fd", "--no-blobs")];
    for (const [place, rows] of [
      [bare, true],
      [whole, false],
    ] as const) {
      const target = await createDebianDatabase();
      const report = await restoreInto(target.url, place, { rows });
      expect(report.rows).toBe(0);
      expect(await pgDump(target.url, "-s")).toBe(await pgDump(source.url, "-s", "--no-blobs"));
      await target.drop();
    }
  });

  test.skipIf(!existsSync(corpora))("archives of 13, 15, 16 and 17 give what pg_restore makes of 15's", async () => {
    await runSql(debianUrl(), makeRoles);
    const byStock = await createDebianDatabase();
    await pgRestore(byStock.url, `${corpora}/pg15.dir`);
    const wanted = await pgDump(byStock.url);
    for (const name of [
      "pg13.dir",
      "pg13.custom",
      "pg15.dir",
      "pg15.custom",
      "pg16-zstd.dir",
      "pg16-lz4.custom",
      "pg17.dir",
      "pg17.custom",
    ]) {
      const target = await createDebianDatabase();
      await restoreInto(target.url, pathToFileURL(`${corpora}/${name}`).href);
      // The sample of 13 was made without the extension.
      const known = name.startsWith("pg13") ? withoutExtension(wanted) : wanted;
      expect(await pgDump(target.url), name).toBe(known);
      await target.drop();
    }
    await byStock.drop();
  });

  test.each(samples)("$name, dumped by stock pg_dump: the database equals its source by pg_dump", async (sample) => {
    const published = await createDebianDatabase();
    await load(published.url, sample);
    const target = await createDebianDatabase();
    const report = await restoreInto(target.url, await stockDump(published.url, "-Fd", "-Z1"));
    expect(await pgDump(target.url)).toBe(await pgDump(published.url));
    expect(report.warnings.filter((warning) => !warning.includes("is behind"))).toEqual([]);
    await Promise.all([target.drop(), published.drop()]);
  });

  test("partitions, which are analysed with their table alone, all have their statistics", async () => {
    const parts = Array.from(
      { length: 50 },
      (_, at) => `create table p${at} partition of whole for values in (${at}); insert into whole values (${at}, 'x');`,
    );
    const make = `create table whole (k int, v text) partition by list (k); ${parts.join("\n")}`;
    const own = await createDebianDatabase(make);
    const target = await createDebianDatabase();
    await restoreInto(target.url, await stockDump(own.url, "-Fd"), { jobs: 4 });
    const found = "select count(distinct tablename)::int as tables from pg_stats where schemaname = 'public'";
    expect(await query(target.url, found)).toEqual([{ tables: 51 }]);
    await Promise.all([target.drop(), own.drop()]);
  });

  test("rows alone, into tables with foreign keys: in the archive's order, however large each is", async () => {
    const own = await createDebianDatabase(`
      create table z_parent (id int primary key); insert into z_parent select generate_series(1, 10);
      create table m_child (id int primary key, parent int references z_parent, note text);
      insert into m_child select i, 1 + i % 10, repeat(md5(i::text), 300) from generate_series(1, 500) i;
      create table a_last (id int, child int references m_child); insert into a_last select i, i from generate_series(1, 100) i;`);
    for (const flag of ["-Fd", "-Fc"]) {
      const target = await createDebianDatabase(await pgDump(own.url, "-s"));
      await restoreInto(target.url, await stockDump(own.url, flag, "-Z0", "-a"), { jobs: 4, intoNonEmpty: true });
      expect(await pgDump(target.url)).toBe(await pgDump(own.url));
      await target.drop();
    }
    await own.drop();
  });

  test("a materialised view is filled with what its owner sees through row security", async () => {
    const own = await createDebianDatabase(`
      do $$ begin create role belay_archive_owner; exception when duplicate_object or unique_violation then null; end $$;
      create table rows (id int); insert into rows select generate_series(1, 10); grant select on rows to belay_archive_owner;
      alter table rows enable row level security; create policy few on rows using (id <= 4);
      grant create on schema public to belay_archive_owner;
      create materialized view seen as select * from rows; alter materialized view seen owner to belay_archive_owner;
      refresh materialized view seen;`);
    const target = await createDebianDatabase();
    await restoreInto(target.url, await stockDump(own.url, "-Fd"));
    const seen = "select count(*)::int as seen from seen";
    expect(await query(target.url, seen)).toEqual([{ seen: 4 }]);
    expect(await query(target.url, seen)).toEqual(await query(own.url, seen));
    await Promise.all([target.drop(), own.drop()]);
  });

  test("with every name in quotes, a user mapping for everybody is one for everybody", async () => {
    const own = await createDebianDatabase(
      "create foreign data wrapper nowhere; create server far foreign data wrapper nowhere; create user mapping for public server far",
    );
    const target = await createDebianDatabase();
    await restoreInto(target.url, await stockDump(own.url, "-Fd", "--quote-all-identifiers"));
    expect(await pgDump(target.url)).toBe(await pgDump(own.url));
    await Promise.all([target.drop(), own.drop()]);
  });

  test("statistics that cannot be gathered are told, and the tables beside have theirs", async () => {
    const own = await createDebianDatabase(`
      create table beside (a int); insert into beside select generate_series(1, 100);
      create function fails(i int) returns int language plpgsql immutable as $$ begin
        if current_setting('application_name') like '%restore%' and i = 50 and exists (select from pg_stat_activity where pid = pg_backend_pid() and query ~ 'ANALYZE') then raise 'no'; end if; return i; end $$;
      create table failing (a int); insert into failing select generate_series(1, 100); create index on failing (fails(a));
      create foreign data wrapper nowhere; create server far foreign data wrapper nowhere;
      create table above (a int) partition by range (a); create table near partition of above for values from (0) to (1000);
      insert into above select generate_series(1, 100); create foreign table remote partition of above for values from (1000) to (2000) server far;`);
    const archive = await stockDump(own.url, "-Fd");
    const script = await stockDump(own.url, "-Fp");
    for (const place of [archive, script]) {
      const target = await createDebianDatabase();
      const { warnings } = await restoreInto(target.url, place, { jobs: 2 });
      expect(warnings.join("\n")).toMatch(/statistics .* of public\.above: there are foreign tables below it/);
      expect(warnings.join("\n")).toMatch(/statistics .* of public\.failing \(SQLSTATE P0001\)/);
      expect(warnings).toHaveLength(2);
      const found = "select distinct tablename from pg_stats where schemaname = 'public' order by tablename";
      expect((await query(target.url, found)).map(({ tablename }) => tablename)).toEqual(["beside", "near"]);
      await target.drop();
    }
    await own.drop();
  });

  test.each([17, 18] as const)("into a server of %i: the same rows, large objects and objects", async (major) => {
    const target = await createDatabase({ major });
    await runSql(
      target.url,
      "do $$ begin create role belay_archive_owner; exception when duplicate_object or unique_violation then null; end $$",
    );
    const place = await stockDump(source.url, "-Fd");
    const report = await restoreInto(target.url, place);
    expect(report.warnings).toEqual([]);
    const counts = `select (select count(*) from pg_class c where relnamespace::regnamespace::text !~ '^(pg_|information)')::int as relations,
      (select count(*) from "Odd Schema"."Select ""it""")::int as odd, (select count(*) from measured)::int as measured,
      (select convert_from(lo_get(4711), 'UTF8')) as large, (select count(*) from by_city)::int as cities`;
    expect(await query(target.url, counts)).toEqual(await query(source.url, counts));
    await target.drop();
  });
});

/** The entries of pg_trgm and its comment, as pg_dump writes them. */
function withoutExtension(dump: string): string {
  return dump.replace(/--\n-- Name: pg_trgm; Type: EXTENSION[\s\S]*?COMMENT ON EXTENSION pg_trgm[^\n]*\n\n\n/, "");
}
