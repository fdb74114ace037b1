import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Belay } from "../../shared/context.ts";
import { BelayError } from "../../shared/errors.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { openReaders, readersFor } from "../../shared/rollback/execute/readers.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { apply, withDatabase } from "./helpers.ts";

const MB = 1024 * 1024;
let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database?.drop());

describe("readers of an archive", () => {
  it.each([
    ["nothing", [], undefined, 1],
    ["small tables", [1000, 2000, 3000], undefined, 1],
    ["one large table, for its digest too", [900 * MB], undefined, 2],
    ["many tables", Array(50).fill(MB), undefined, 2],
    ["one large table by the setting", [900 * MB], 8, 2],
    ["many tables by the setting", Array(50).fill(MB), 8, 8],
    ["many tables by a small setting", Array(50).fill(MB), 1, 1],
  ] as const)("of %s", (_, sizes, archiveReaders, count) => {
    expect(readersFor({ archiveReaders }, sizes)).toBe(count);
  });

  const open = (belay: Belay, wanted: number) =>
    withDatabase(database.url, async (session) => {
      await session.run("begin isolation level repeatable read");
      const [row] = await session.sql`select pg_export_snapshot() as snapshot`;
      const readers = await openReaders(belay, row!.snapshot, wanted);
      const pids = new Set(readers.map(({ pid }) => pid));
      await Promise.all(readers.map((reader) => reader.destroy()));
      return pids.size;
    });

  /** Each call of the returned Belay's openSession after the first `good` ones fails. */
  const failing = (good: number, sqlstate: string): Belay => {
    const belay = testBelay({ database: database.url });
    let calls = 0;
    const openSession: Belay["openSession"] = (options) =>
      ++calls > good
        ? Promise.reject(new BelayError("database_error", "no", { details: { sqlstate } }))
        : belay.openSession(options);
    return { ...belay, openSession };
  };

  it("are as many as wanted, each on a session of its own", async () => {
    expect(await open(testBelay({ database: database.url }), 3)).toBe(3);
  });

  it("are fewer where the server has no connection left", async () => {
    expect(await open(failing(2, "53300"), 4)).toBe(2);
    await expect(open(failing(0, "53300"), 4)).rejects.toThrow("no");
    await expect(open(failing(2, "58000"), 4)).rejects.toThrow("no");
    const left = () =>
      withDatabase(
        database.url,
        ({ sql }) =>
          sql`select 1 from pg_stat_activity where application_name = 'belay reader' and datname = current_database()`,
      );
    await expect.poll(async () => (await left()).length).toBe(0);
  });

  it("write one archive together", async () => {
    const tables = Array.from({ length: 6 }, (_, n) => `t${n}`);
    await apply(database.url, {
      name: "1_many",
      up: tables
        .map((name) => `create table ${name} as select g, md5(g::text) from generate_series(1, 4000) g`)
        .join(";"),
      down: `drop table ${tables.join(", ")}`,
    });
    let opened = 0;
    const belay = testBelay({ database: database.url, settings: { archiveReaders: 4 } });
    const openSession: Belay["openSession"] = (options) => {
      if (options?.applicationName === "belay reader") opened += 1;
      return belay.openSession(options);
    };
    const report = await executeRollback({ ...belay, openSession }, { migration: "1_many", reason: "test" });
    expect(opened).toBe(4);
    expect(report.tables.map(({ rows }) => rows)).toEqual(Array(6).fill(4000));
  });
});
