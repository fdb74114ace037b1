import { afterAll, beforeAll, expect, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import type { Manifest } from "../../shared/archive/types.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import type { Belay } from "../../shared/context.ts";
import { installBelay } from "../../shared/install.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { testBelay } from "../support/belay.ts";
import {
  createDebianDatabase,
  debianUrl,
  describeWithDebian,
  pgDump,
  pgRestore,
  runProgram,
} from "../support/debian.ts";
import { databaseUrl, runSql, type TestDatabase } from "../support/postgres.ts";
import { archiveFolder, errorOf, keysIn } from "./support.ts";

/** Members of an extension whose rows are the user's: all of one table, some of another, and a sequence's value. */
const extension = `create extension citext;
  create table settings (name text primary key, value text, builtin boolean not null default false);
  create table remarks (setting text references settings, remark text);
  create sequence numbers;
  alter extension citext add table settings;
  alter extension citext add table remarks;
  alter extension citext add sequence numbers;
  update pg_extension set extconfig = array['remarks'::regclass, 'settings'::regclass, 'numbers'::regclass]::oid[],
    extcondition = array['', 'WHERE NOT builtin', ''] where extname = 'citext'`;

const contents = `
  select lo_from_bytea(4711, convert_to(repeat('large object ', 100000), 'utf8'));
  select lo_from_bytea(4712, '');
  select lo_from_bytea(4000000001, decode(repeat('00ff', 262144), 'hex'));
  select lo_from_bytea((5000 + i)::oid, convert_to('small ' || i, 'utf8')) from generate_series(1, 70) i;
  comment on large object 4711 is 'the first';
  grant select on large object 4712 to public;
  insert into settings values ('own', 'mine', false), ('builtin', 'theirs', true);
  insert into remarks values ('own', 'a remark');
  select setval('numbers', 42);
  create schema "odd ""schema";
  create table "odd ""schema"."Odd ""table" ("a ""column" text, "select" integer, empty text);
  insert into "odd ""schema"."Odd ""table" values (E'tab\\tnewline\\nbackslash\\\\', 1, ''), (null, null, null);
  create table no_columns ();
  insert into no_columns default values;
  create table parent (id integer, region text, doubled integer generated always as (id * 2) stored) partition by list (region);
  create table parent_eu partition of parent for values in ('eu');
  create table parent_rest partition of parent default;
  insert into parent (id, region) select i, case when i % 3 = 0 then 'eu' else 'us' end from generate_series(1, 300) i;
  create unlogged table fleeting as select generate_series(1, 10) as i;
  create table base (i integer);
  create table derived (j integer) inherits (base);
  insert into base values (1);
  insert into derived values (2, 3);
  create sequence counting_down increment by -1 maxvalue 100 minvalue -100 start 7;
`;

describeWithDebian("an archive of a whole database", () => {
  let source: TestDatabase;
  let belay: Belay;
  let manifest: Manifest;
  let folder: string;
  const made: TestDatabase[] = [];
  const create = async () => {
    const database = await createDebianDatabase();
    made.push(database);
    return database;
  };

  beforeAll(async () => {
    source = await create();
    await runSql(source.url, `${extension}; ${contents}`);
    await runSql(
      source.url,
      `comment on database ${source.name} is 'a comment'; alter database ${source.name} set work_mem = '5MB'`,
    );
    belay = testBelay({ database: source.url });
    const session = await openSession(source.url);
    await installBelay(session);
    await session.close();
    manifest = await dumpDatabase(belay, { reason: "test" });
    folder = archiveFolder(belay.store, manifest.id);
  });
  afterAll(async () => {
    for (const database of made) await database.drop();
  });

  test("verifies, and names every large object with its size", async () => {
    expect((await verifyArchive(belay.store, manifest.id)).problems).toEqual([]);
    expect(manifest.largeObjects).toHaveLength(73);
    const bytes = new Map(manifest.largeObjects.map((one) => [one.oid, one.bytes]));
    expect([bytes.get(4711), bytes.get(4712), bytes.get(4_000_000_001)]).toEqual([1_300_000, 0, 524_288]);
  });

  test("stock pg_restore -j2 gives the same pg_dump, large objects, extension's rows and Belay's own schema in it", async () => {
    const target = await create();
    // What the extension's own script would have made.
    await runSql(target.url, `${extension}; insert into settings values ('builtin', 'theirs', true)`);
    await pgRestore(target.url, folder, "-j2");
    expect(await pgDump(target.url)).toBe(await pgDump(source.url));
    expect(manifest.tables.find(({ table }) => table === "settings")).toMatchObject({ role: "configuration", rows: 1 });
    expect(manifest.tables.some(({ schema }) => schema === "belay")).toBe(true);
  });

  test("pg_restore --create makes the database with its comment and settings", async () => {
    const listed = await runProgram("pg_restore", ["-l", "--create", folder]);
    expect(listed).toContain(`DATABASE - ${source.name} `);
    const script = await runProgram("pg_restore", ["--create", "-f", "-", folder]);
    expect(script).toContain(`CREATE DATABASE ${source.name} WITH TEMPLATE = template0`);
    expect(script).toContain(`COMMENT ON DATABASE ${source.name} IS 'a comment'`);
    expect(script).toContain(`ALTER DATABASE ${source.name} SET work_mem TO '5MB'`);
  });

  test("its table of contents lists what stock pg_dump's does", async () => {
    const entries = (text: string) =>
      text
        .split("\n")
        .filter((line) => /^\d+; /.test(line))
        .map((line) => line.replace(/^\d+; \d+ \d+ /, ""))
        .sort();
    const stock = await runProgram("pg_dump", ["-Fc", "-f", `${folder}.stock`], { url: source.url }).then(() =>
      runProgram("pg_restore", ["-l", `${folder}.stock`]),
    );
    expect(entries(await runProgram("pg_restore", ["-l", folder]))).toEqual(entries(stock));
  });

  test("it holds one moment, and its tables are locked against being dropped while it is written", async () => {
    const dropping: string[] = [];
    let tried = false;
    const session = await openSession(source.url);
    const watched = testBelay({ database: source.url });
    const store = {
      ...watched.store,
      url: watched.store.url,
      write: async (...call: Parameters<Belay["store"]["write"]>) => {
        if (!tried) {
          tried = true;
          await session.run("set lock_timeout = '50ms'");
          dropping.push(
            await session.run("drop table no_columns").then(
              () => "dropped",
              (error) => String(error),
            ),
          );
        }
        return await watched.store.write(...call);
      },
    };
    await dumpDatabase({ ...watched, store }, { reason: "locked" });
    expect(dropping).toEqual([expect.stringContaining("lock timeout")]);
    await session.close();
  });

  test("a table that somebody holds: lock_not_obtained, nothing left", async () => {
    const session = await openSession(source.url);
    await session.run("begin; lock table no_columns in access exclusive mode");
    const waiting = testBelay({ database: source.url, settings: { lockTimeoutMs: 100 } });
    expect(await errorOf(dumpDatabase(waiting, { reason: "held" }))).toMatchObject({ code: "lock_not_obtained" });
    expect(await keysIn(waiting.store)).toEqual([]);
    await session.run("rollback");
    await session.close();
  });

  test("a store that dies at a large object: its error, nothing left", async () => {
    const failing = testBelay({ database: source.url });
    const store = {
      ...failing.store,
      url: failing.store.url,
      read: (key: string) => {
        if (key.includes("blob_4711")) throw Object.assign(new Error("gone"), { code: "EIO" });
        return failing.store.read(key);
      },
    };
    await expect(dumpDatabase({ ...failing, store }, { reason: "dead" })).rejects.toThrow("gone");
    expect(await keysIn(failing.store)).toEqual([]);
    expect(await listArchives(failing.store)).toEqual([]);
  });

  test("gzip levels 0 to 9 all read back", async () => {
    for (const gzipLevel of [0, 9]) {
      const other = testBelay({ database: source.url });
      const { id } = await dumpDatabase(other, { reason: "level", gzipLevel, readers: 4 });
      expect((await verifyArchive(other.store, id)).problems).toEqual([]);
    }
  });

  test("a role that may not read a table: an error that names it, nothing left", async () => {
    const role = `belay_test_${Date.now()}`;
    await runSql(source.url, `create role ${role} login password 'secret'`);
    const url = new URL(databaseUrl(debianUrl(), source.name));
    url.username = role;
    url.password = "secret";
    const narrow = testBelay({ database: url.href });
    expect((await errorOf(dumpDatabase(narrow, { reason: "narrow" }))).message).toContain("permission denied");
    expect(await keysIn(narrow.store)).toEqual([]);
    await runSql(source.url, `drop role ${role}`);
  });
});
