import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lossesOf } from "../../shared/migrations/prove/rows/losses.ts";
import { readRows } from "../../shared/migrations/prove/rows/read-rows.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let session: Session;

beforeAll(async () => {
  database = await createDatabase();
  session = await openSession(database.url);
  await session.run(`
    create table t (id int primary key, n int, x text, c char(5), twice int generated always as (n * 2) stored);
    insert into t (id, n, x, c) values (1, 10, 'a', 'p'), (2, 20, 'b', 'q'), (3, 30, null, null);
    create table u (id int primary key, t_id int references t); insert into u values (1, 1);
    create table empty (id int)`);
});

afterAll(async () => {
  await session.close();
  await database.drop();
});

async function lostBy(sql: string) {
  await session.run("begin");
  try {
    const before = await readRows(session);
    await session.run(sql);
    return lossesOf(before, await readRows(session), "since").map(({ schema: _, of: __, ...loss }) => loss);
  } finally {
    await session.run("rollback");
  }
}

const cases: readonly [name: string, sql: string, lost: unknown[]][] = [
  [
    "nothing by a new table, column or row",
    "create table v (id int); alter table t add y int default 1; insert into t (id) values (4)",
    [],
  ],
  ["nothing by a renamed table", "alter table t rename to t2", []],
  ["nothing by a table in another schema", "create schema s; alter table t set schema s", []],
  ["nothing by a renamed column", "alter table t rename column x to y", []],
  ["nothing by a wider type of equal value", "alter table t drop twice; alter table t alter n type bigint", []],
  ["nothing by a NULL that is filled", "update t set x = 'z' where x is null", []],
  ["nothing by a generated column that goes", "alter table t drop twice", []],
  ["nothing by an empty table that goes", "drop table empty", []],
  [
    "values that are emptied, and nothing by an empty column that goes",
    "update t set x = null; alter table u add y int; alter table u drop y",
    [{ table: "t", columns: ["x"], how: "changed", rows: 2 }],
  ],
  [
    "nothing by a copy under the old name",
    "create table t2 as select id, n, x, c from t; drop table t cascade; alter table t2 rename to t",
    [],
  ],
  ["a table", "drop table u", [{ table: "u", columns: null, how: "dropped", rows: 1 }]],
  ["rows", "delete from t where id > 1", [{ table: "t", columns: null, how: "deleted", rows: 2 }]],
  [
    "all rows by TRUNCATE",
    "truncate t cascade",
    [
      { table: "t", columns: null, how: "deleted", rows: 3 },
      { table: "u", columns: null, how: "deleted", rows: 1 },
    ],
  ],
  [
    "a column, of the rows that had a value",
    "alter table t drop x",
    [{ table: "t", columns: ["x"], how: "dropped", rows: 2 }],
  ],
  [
    "a column that comes back empty",
    "alter table t drop x; alter table t add x text",
    [{ table: "t", columns: ["x"], how: "changed", rows: 2 }],
  ],
  [
    "a column whose name another takes",
    "alter table t drop x; alter table t rename c to x",
    [{ table: "t", columns: ["x"], how: "dropped", rows: 2 }],
  ],
  ["values", "update t set n = 11 where id = 1", [{ table: "t", columns: ["n"], how: "changed", rows: 1 }]],
  [
    "values by a narrower type",
    "alter table t alter x type varchar(1) using null",
    [{ table: "t", columns: ["x"], how: "changed", rows: 2 }],
  ],
  [
    "blanks that a client sees",
    "alter table t alter c type varchar(5)",
    [{ table: "t", columns: ["c"], how: "changed", rows: 2 }],
  ],
  [
    "a row and a column of the others",
    "delete from t where id = 2; alter table t drop n cascade",
    [
      { table: "t", columns: null, how: "deleted", rows: 1 },
      { table: "t", columns: ["n"], how: "dropped", rows: 2 },
    ],
  ],
];

describe("of rows is lost", () => {
  for (const [name, sql, lost] of cases)
    it(name, async () => {
      expect(await lostBy(sql)).toEqual(lost);
    });

  it("what a large table lost is told by counts and sums", async () => {
    await session.run(`begin; create table big (id int primary key, x text, y text);
      insert into big select n, repeat(md5(n::text), 20), 'y' from generate_series(1, 60000) n`);
    try {
      const before = await readRows(session);
      expect(before.find(({ name }) => name === "big")!.rows).toBeNull();
      const lostAfter = async (sql: string) => {
        await session.run(`savepoint s; ${sql}`);
        const lost = lossesOf(before, await readRows(session), "before").map(({ columns, how, rows }) => ({
          columns,
          how,
          rows,
        }));
        await session.run("rollback to s");
        return lost;
      };
      expect(await lostAfter("delete from big where id <= 10")).toEqual([{ columns: null, how: "deleted", rows: 10 }]);
      expect(await lostAfter("update big set y = 'z' where id = 5")).toEqual([
        { columns: ["y"], how: "changed", rows: null },
      ]);
      expect(await lostAfter("alter table big drop x")).toEqual([{ columns: ["x"], how: "dropped", rows: null }]);
    } finally {
      await session.run("rollback");
    }
  });
});
