import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { apply, photograph, run } from "./helpers.ts";

const name = "20250102000000_change";
let database: TestDatabase;
let folder: string;
beforeEach(async () => {
  database = await createDatabase();
  folder = temporaryFolder();
});
afterEach(() => database.drop());

const belayWith = (settings = {}) => testBelay({ database: database.url, store: createFolderStore(folder), settings });

async function rolledBack(change: { base?: string; up: string; down: string }) {
  const { base = "select 1;", up, down } = change;
  await apply(database.url, { name: "20250101000000_base", up: base, down: "" }, { name, up, down });
  const before = await photograph(database.url);
  const report = await executeRollback(belayWith(), { migration: name, reason: "test" });
  return { before, report };
}

const undo = (settings = {}) => undoRollback(belayWith(settings), { migration: name, reason: "test" });

/** The undo is refused with what the error says, and the database stays as it is now. */
async function expectRefused(expected: { code: string; message?: RegExp }): Promise<void> {
  const now = await photograph(database.url);
  const error = await undo({ lockAttempts: 2, lockTimeoutMs: 200 }).then(
    () => null,
    (reason) => reason,
  );
  expect(error).toMatchObject({ code: expected.code });
  if (expected.message !== undefined) expect(error.message).toMatch(expected.message);
  expect(await photograph(database.url)).toEqual(now);
  const [last] = await run(database.url, "select outcome from belay.rollbacks order by started_at desc limit 1");
  expect(last!.outcome).toBe("failed");
}

const table = {
  up: "create table t (id int primary key, n text); insert into t select g, 'n' || g from generate_series(1, 50) g;",
  down: "drop table t;",
};
const column = {
  base: "create table t (id int primary key, x int default 0); insert into t select generate_series(1, 50);",
  up: "alter table t add column n text; update t set n = 'n' || id;",
  down: "alter table t drop column n;",
};

describe("newer objects and rows are conflicts, named before anything runs", () => {
  test.each([
    ["a table of the same name", "create table t (other int)", /TABLE public t exists again/],
    ["a view of the same name", "create view t as select 1 as id", /VIEW public t has the name of TABLE public t/],
    ["a sequence of the same name", "create sequence t", /SEQUENCE public t has the name of TABLE public t/],
    ["a type of the same name", "create type t as enum ('a')", /TYPE public t has the name of TABLE public t/],
    ["an index of the same name", "create table z (i int); create index t on z (i)", /INDEX public t has the name/],
  ])("%s", async (_, meanwhile, message) => {
    await rolledBack(table);
    await run(database.url, meanwhile);
    await expectRefused({ code: "undo_conflict", message });
  });

  test("rows changed in a table that the undo replaces", async () => {
    await rolledBack({
      base: "create table t (id int); insert into t values (1);",
      up: "insert into t values (2);",
      down: "delete from t where id = 2;",
    });
    await run(database.url, "insert into t values (3)");
    await expectRefused({ code: "undo_conflict", message: /rows of public\.t changed since/ });
  });

  test("rows that break a unique constraint, a check or a foreign key that comes back", async () => {
    await rolledBack({
      base: "create table p (id int primary key); create table t (id int, p int); insert into p values (1); insert into t values (1, 1);",
      up: "alter table t add unique (id), add constraint c check (id > 0), add foreign key (p) references p;",
      down: "alter table t drop constraint t_id_key, drop constraint c, drop constraint t_p_fkey;",
    });
    await run(database.url, "insert into t values (1, 1)");
    await expectRefused({ code: "undo_conflict", message: /t_id_key/ });
    await run(database.url, "delete from t; insert into t values (-1, 1)");
    await expectRefused({ code: "undo_conflict", message: /"c"/ });
    await run(database.url, "delete from t; insert into t values (1, 7)");
    await expectRefused({ code: "undo_conflict", message: /t_p_fkey/ });
    await run(database.url, "delete from t; insert into t values (5, 1)");
    expect((await undo()).outcome).toBe("committed");
  });

  test("a NOT NULL column over rows that came meanwhile and have no value", async () => {
    await rolledBack({
      ...column,
      up: `${column.up.replace("id;", "id where id <= 50;")} alter table t alter n set not null;`,
    });
    await run(database.url, "insert into t values (99)");
    await expectRefused({ code: "undo_conflict", message: /null values/ });
  });

  test("an undo of what was undone", async () => {
    const { before } = await rolledBack(table);
    await undo();
    expect(await photograph(database.url)).toEqual(before);
    await expect(undo()).rejects.toMatchObject({ code: "undo_conflict", message: /undone already/ });
  });
});

describe("an archive that is gone", () => {
  test.each(["manifest.json", "toc.dat"])("without its %s, nothing changed", async (file) => {
    const { report } = await rolledBack(table);
    await rm(join(folder, "archives", report.archiveId!, file));
    const now = await photograph(database.url);
    await expect(undo()).rejects.toMatchObject({ code: expect.stringMatching(/archive/) });
    expect(await photograph(database.url)).toEqual(now);
  });
});

describe("locks", () => {
  test("held for a while are waited for", async () => {
    const { before } = await rolledBack(column);
    const holder = await openSession(database.url);
    await holder.run("begin; lock table t in row exclusive mode");
    setTimeout(() => holder.run("commit").then(() => {}), 1_200);
    await undo({ lockTimeoutMs: 200, lockAttempts: 20 });
    expect((await photograph(database.url)).tables).toEqual(before.tables);
    await holder.close();
  });

  test("held for ever end in lock_not_obtained, which names the holder", async () => {
    await rolledBack(column);
    const holder = await openSession(database.url);
    await holder.run("begin; lock table t in row exclusive mode");
    await expectRefused({ code: "lock_not_obtained", message: new RegExp(`pid ${holder.pid} `) });
    await holder.close();
    expect((await undo()).outcome).toBe("committed");
  });

  test("a writer that goes on meanwhile loses nothing", async () => {
    await rolledBack(column);
    const writer = await openSession(database.url);
    let written = 0;
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        await writer.run(`insert into t (id) values (${1000 + written}); update t set x = x + 1 where id = 7`);
        written++;
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await undo();
    stop = true;
    await writing;
    await writer.close();
    const [row] = await run(
      database.url,
      "select count(*)::int as rows, count(n)::int as values, max(x)::int as x from t",
    );
    // The forward SQL's own UPDATE gives the rows that came before it a value too.
    expect(row).toEqual({ rows: 50 + written, values: expect.toSatisfy((values) => values >= 50), x: written });
  });
});

describe("kill -9 in the middle of an undo", () => {
  test.each([
    ["while the archive is verified", 1],
    ["while rows are loaded", 2],
  ])("%s: as after the rollback, and a second undo puts it back", { timeout: 60_000 }, async (_, read) => {
    const { before } = await rolledBack(table);
    const now = await photograph(database.url);
    const script = new URL("./undo-child.ts", import.meta.url).pathname;
    const child = spawn(process.execPath, [script, database.url, folder, name, String(read)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout!, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await photograph(database.url)).toEqual(now);
    expect((await undo({ lockAttempts: 20 })).outcome).toBe("committed");
    expect(await photograph(database.url)).toEqual(before);
    const rows = await run(database.url, "select outcome from belay.rollbacks where kind = 'undo' order by started_at");
    expect(rows.map(({ outcome }) => outcome)).toEqual(["failed", "committed"]);
  });
});
