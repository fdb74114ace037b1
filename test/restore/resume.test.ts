import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { debianMajor, debianPrograms } from "../../servers/debian.ts";
import { openArchive } from "../../shared/archive/read/open.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import { tableDigest } from "../../shared/archive/table-digest.ts";
import { isBelayError } from "../../shared/errors.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createDebianDatabase, describeWithDebian, pgDump } from "../support/debian.ts";
import { runSql, type TestDatabase } from "../support/postgres.ts";
import { query, restoreInto, stockDump } from "./support.ts";

/** The table `large` is large enough for two sessions to load it together. */
const sql = `
  create table small_one (id int primary key, note text); insert into small_one select i, 'a' || i from generate_series(1, 500) i;
  create table small_two (id serial primary key, one int references small_one); insert into small_two (one) select i from generate_series(1, 500) i;
  create table large (id int primary key, a text, b text);
  insert into large select i, md5(i::text) || md5((i * 3)::text) || md5((i * 5)::text), 'row ' || i from generate_series(1, 110000) i;
  create index on large (b); create view v as select count(*) from large; create materialized view m as select count(*) as n from large;
  create function tell() returns event_trigger language plpgsql as 'begin raise exception ''no event trigger may fire''; end';`;

describeWithDebian("a restore that is cut off", () => {
  let source: TestDatabase;
  let place: string;
  let schema: string;
  beforeAll(async () => {
    source = await createDebianDatabase(sql);
    await runSql(source.url, "create event trigger told on sql_drop execute function tell()");
    place = await stockDump(source.url, "-Fd", "-Z0");
    schema = await pgDump(source.url, "-s");
  });
  afterAll(() => source.drop());

  const expectRestored = async (url: string) => {
    expect(await pgDump(url, "-s")).toBe(schema);
    const [ours, theirs] = [await openSession(url), await openSession(source.url)];
    for (const [table, columns] of [
      ["large", ["id", "a", "b"]],
      ["small_one", ["id", "note"]],
      ["small_two", ["id", "one"]],
    ] as const)
      expect(await tableDigest(ours, { schema: "public", table, columns })).toEqual(
        await tableDigest(theirs, { schema: "public", table, columns }),
      );
    expect((await ours.run("select n::int from m"))[0]!.n).toBe(110_000);
    await Promise.all([ours.close(), theirs.close()]);
  };

  test.each([
    ["in the middle of the large table", "large", 6_000_000],
    ["in a small table", "small_two", 0],
  ])("by kill -9 %s, goes on with --resume to the same database", async (_, table, bytes) => {
    const target = await createDebianDatabase();
    expect(await killed(place, target.url, table, bytes)).toBe("SIGKILL");
    const again = await restoreInto(target.url, place).catch((error) => error);
    expect(again).toMatchObject({ code: "restore_target", details: { reason: "unfinished" } });
    expect(again.hint).toContain("--resume");
    const report = await restoreInto(target.url, place, { resume: true });
    expect(report.resumed).toBe(true);
    expect(report.rows).toBe(111_000);
    await expectRestored(target.url);
    await target.drop();
  });

  test("rows that only some sessions had committed are emptied and loaded again", async () => {
    const target = await createDebianDatabase();
    await killed(place, target.url, "large", 6_000_000);
    const [entry] = (await tocOf(place)).filter(({ desc, tag }) => desc === "TABLE DATA" && tag === "large");
    await runSql(
      target.url,
      `insert into large values (1, 'half', 'loaded'); insert into belay_restore.half_loaded values (${entry!.dumpId})`,
    );
    await restoreInto(target.url, place, { resume: true });
    await expectRestored(target.url);
    await target.drop();
  });

  test("is not gone on with from another archive, with other flags, or where nothing was begun", async () => {
    const target = await createDebianDatabase();
    const resume = { resume: true };
    const fails = (work: Promise<unknown>) =>
      work.then(
        () => "it went on",
        (error) => error.message,
      );
    expect(await fails(restoreInto(target.url, place, resume))).toContain("there is no unfinished restore");
    await killed(place, target.url, "large", 6_000_000);
    expect(await fails(restoreInto(target.url, place, { ...resume, owners: false }))).toContain(
      "begun with other flags",
    );
    const other = await stockDump(source.url, "-Fd", "--table=small_one");
    expect(await fails(restoreInto(target.url, other, resume))).toContain("is of another archive");
    await target.drop();
  });

  test("by a server that cuts the connection: connection_lost, which says --resume", async () => {
    const target = await createDebianDatabase();
    const archive = await openArchive(place);
    if (archive.format === "plain") throw new Error("not plain");
    let cut = false;
    const data: typeof archive.data = async function* (entry) {
      for await (const chunk of archive.data(entry)) {
        if (entry.tag === "large" && !cut) {
          cut = true;
          await query(
            target.url,
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'belay restore' and datname = current_database()",
          );
        }
        yield chunk;
      }
    };
    const error = await restoreArchive({ archive: { ...archive, data }, url: target.url }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "connection_lost" });
    expect(error.hint).toContain("--resume");
    await restoreInto(target.url, place, { resume: true });
    await expectRestored(target.url);
    await target.drop();
  });

  test("by a server that goes away before anything is done: connection_lost, and no fault of Belay's", async () => {
    const target = await createDebianDatabase();
    const end =
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'belay restore' and datname = current_database()";
    const [stock, script] = [await openArchive(place), await openArchive(await stockDump(source.url, "-Fp", "-s"))];
    if (stock.format === "plain" || script.format !== "plain") throw new Error("not of that format");
    const dataBytes: typeof stock.dataBytes = (entry) => {
      execFileSync(join(debianPrograms(debianMajor)!, "psql"), ["-XqAt", "-d", target.url, "-c", end]);
      return stock.dataBytes(entry);
    };
    const parts: typeof script.parts = async function* (options) {
      await query(target.url, end);
      yield* script.parts(options);
    };
    for (const archive of [
      { ...stock, dataBytes },
      { ...script, parts },
    ]) {
      const error = await restoreArchive({ archive, url: target.url }).catch((thrown) => thrown);
      expect(error).toMatchObject({ name: "BelayError", code: "connection_lost" });
    }
    await target.drop();
  });

  test("by a server that goes away at the very end, while statistics are gathered: also that is gone on with", async () => {
    const own =
      await createDebianDatabase(`create table t (a int); insert into t select generate_series(1, 10); create table armed ();
      create function ends(i int) returns int language plpgsql immutable as $$ begin
        if to_regclass('public.armed') is not null and exists (select from pg_stat_activity where pid = pg_backend_pid() and query ~ '^ANALYZE')
        then perform pg_terminate_backend(pg_backend_pid()); end if; return i; end $$;
      create index on t (ends(a));`);
    const archive = await stockDump(own.url, "-Fd");
    const target = await createDebianDatabase();
    const error = await restoreInto(target.url, archive).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "connection_lost" });
    expect(error.hint).toContain("--resume");
    await runSql(target.url, "drop table armed");
    expect(await restoreInto(target.url, archive, { resume: true })).toMatchObject({ resumed: true, rows: 10 });
    await Promise.all([target.drop(), own.drop()]);
  });

  test("two sessions load the large table, and nothing of the restore stays behind", async () => {
    const target = await createDebianDatabase();
    const seen = new Set<number>();
    const archive = await openArchive(place);
    if (archive.format === "plain") throw new Error("not plain");
    const data: typeof archive.data = async function* (entry) {
      for await (const chunk of archive.data(entry)) {
        if (entry.tag === "large" && seen.size < 2)
          for (const { pid } of await query(
            target.url,
            "select pid from pg_stat_progress_copy where relid = 'large'::regclass",
          ))
            seen.add(pid as number);
        yield chunk;
      }
    };
    const report = await restoreArchive({ archive: { ...archive, data }, url: target.url });
    expect(seen.size).toBe(2);
    expect(report).toMatchObject({ tables: 3, rows: 111_000, warnings: [], resumed: false });
    await expectRestored(target.url);
    expect(await query(target.url, "select from pg_namespace where nspname = 'belay_restore'")).toEqual([]);
    await target.drop();
  });
});

describeWithDebian("damaged data", () => {
  test("leave their table empty and name it, whether one session loads it or two; the other tables can be had", async () => {
    const source = await createDebianDatabase(sql);
    for (const [table, compressed] of [
      ["small_one", true],
      ["large", true],
      ["large", false],
    ] as const) {
      const place = await stockDump(source.url, "-Fd", compressed ? "-Z1" : "-Z0");
      const file = (await tocOf(place)).find(({ desc, tag }) => desc === "TABLE DATA" && tag === table)!.file;
      const path = join(fileURLToPath(place), compressed ? `${file}.gz` : file);
      const bytes = readFileSync(path);
      // A flipped bit that gzip finds; without it, a value that is no number.
      if (compressed) bytes[Math.floor(bytes.length * 0.7)]! ^= 0x10;
      else bytes.write("x", bytes.indexOf("\n", Math.floor(bytes.length * 0.7)) + 1);
      writeFileSync(path, bytes);
      const target = await createDebianDatabase();
      const error = await restoreInto(target.url, place).catch((thrown) => thrown);
      expect(isBelayError(error, "archive_invalid"), String(error)).toBe(true);
      // Before gzip notices, the server may refuse what comes of it.
      const names = [`the rows of public.${table}`, ...(compressed ? [file] : [])];
      expect(
        names.some((name) => error.message.includes(name)),
        error.message,
      ).toBe(true);
      expect(error.message).not.toContain("x9");
      expect(await query(target.url, `select count(*)::int as rows from ${table}`)).toEqual([{ rows: 0 }]);
      await target.drop();
      const beside = await createDebianDatabase();
      const report = await restoreInto(beside.url, place, { tables: ["public.small_two"] });
      expect(report.rows).toBe(500);
      expect(report.warnings.join()).toContain("foreign key public.small_two small_two_one_fkey was left out");
      await beside.drop();
    }
    await source.drop();
  });
});

async function tocOf(place: string) {
  const archive = await openArchive(place);
  if (archive.format === "plain") throw new Error("not plain");
  return archive.toc.entries;
}

/** Restores in a process that kills itself; how it ended. */
function killed(place: string, url: string, table: string, bytes: number): Promise<string | null> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "kill-child.ts"), place, url, table, String(bytes)],
    { stdio: "inherit" },
  );
  return new Promise((resolve) => child.once("close", (_, signal) => resolve(signal)));
}
