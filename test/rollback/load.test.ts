import { expect, test } from "vitest";
import { checkTables } from "../../dev/load/check.ts";
import { apply, startModel, type WriterReport } from "../../dev/load/log.ts";
import { runLoad } from "../../dev/load/run.ts";
import { migrations, tables } from "../../dev/load/schema.ts";
import { createDatabase } from "../support/postgres.ts";
import { withDatabase } from "./helpers.ts";

test("while another process writes, no committed row is lost by rollbacks and undos, and none comes twice", {
  timeout: 120_000,
}, async () => {
  const database = await createDatabase();
  const seed = Date.now() % 1_000_000;
  console.log(`seed ${seed}`);
  const rounds = await runLoad({ url: database.url, rounds: 3, seed, forMs: 8_000 });
  expect(rounds.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(rounds.filter(({ undone }) => undone).length).toBeGreaterThan(0);
  expect(Math.min(...rounds.map(({ committed }) => committed))).toBeGreaterThan(500);
  await database.drop();
});

test("the check finds a row that was lost, one that came back, another value and a sequence that fell behind", async () => {
  const database = await createDatabase({ sql: migrations.map(({ up }) => up).join(";\n") });
  const report: WriterReport = {
    effects: ["1", "2", "3"].map((key) => ({ table: "logs", key, values: ["x"], drawn: true })),
    unknown: [],
    committed: 3,
    failed: {},
    longestMs: 0,
  };
  const model = startModel(tables);
  expect(apply(model, report)).toEqual([]);
  expect(apply(model, { ...report, effects: report.effects.slice(0, 1) })).toEqual(["logs gave 1 twice"]);
  expect(apply(model, { ...report, effects: [], failed: { "23505": 2 } })).toEqual([
    "a sequence gave numbers twice: 2 rows were refused",
  ]);
  await withDatabase(database.url, async (session) => {
    await session.run("insert into logs values (1, 'x'), (2, 'y'), (4, 'x'); select setval('logs_id_seq', 2)");
    expect(await checkTables(session, null, model)).toEqual([
      "logs 2 is y, and x was committed",
      "logs lacks 3",
      "logs has 4, which was deleted or never committed",
      "logs_id_seq stands at 2, and 3 was given",
    ]);
  });
  await database.drop();
});
