import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BelayError } from "../../shared/errors.ts";
import { insertMigration } from "../../shared/migrations/ledger/ledger.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { apply, migration, photograph, run, withDatabase } from "./helpers.ts";
import { type Trick, trickBase, tricks } from "./tricks.ts";

let database: TestDatabase;
let count = 0;

beforeAll(async () => {
  database = await createDatabase({ sql: trickBase });
  await apply(database.url);
});

afterAll(() => database.drop());

/** A migration that made a table, whose rollback SQL drops it and does the trick. */
async function prepare({ base = "", down }: Trick): Promise<string> {
  const { port, password } = new URL(database.url);
  count += 1;
  const fill = (text: string) =>
    text
      .replaceAll("{database}", database.name)
      .replaceAll("{port}", port)
      .replaceAll("{password}", decodeURIComponent(password))
      .replaceAll("{extra}", `extra_${count}`);
  const name = `${20_250_102_000_000 + count}_change`;
  const up = `create table extra_${count} (id int primary key); insert into extra_${count} values (1), (2);`;
  await withDatabase(database.url, async (session) => {
    await session.run(fill(base) || "select 1");
    await session.run(up);
    const pair = { name, up, down: fill(down) };
    await insertMigration(session, migration(pair), { actor: "tester", status: "applied" });
  });
  return name;
}

function flagsIn(hint: string | undefined): string[] {
  return [...(hint ?? "").matchAll(/--archive (\S+?)[.:]?(?= |$)/g)].map(([, name]) => name!);
}

describe("rollback SQL that does more than its text shows loses no row", () => {
  test.each(tricks)("$title", async (trick) => {
    const name = await prepare(trick);
    const before = await photograph(database.url);
    const belay = testBelay({ database: database.url });
    const roll = (archive?: readonly string[]) => executeRollback(belay, { migration: name, reason: "test", archive });
    let archive: readonly string[] | undefined;
    if (trick.archive !== "planned") {
      const refusal = await roll().catch((error) => error);
      expect(refusal).toBeInstanceOf(BelayError);
      expect(refusal.message).toMatch(trick.names ?? /./);
      expect(await photograph(database.url)).toEqual(before);
      archive = refusal.details.archive ?? flagsIn(refusal.hint);
      expect(archive).toEqual(trick.archive === "never" ? [] : trick.archive);
    }
    if (trick.archive !== "never") {
      const report = await roll(archive);
      expect(await photograph(database.url)).not.toEqual(before);
      await undoRollback(belay, { rollbackId: report.rollbackId, reason: "test" });
      expect(await photograph(database.url)).toEqual(before);
    }
    if (trick.baseDown !== undefined) await run(database.url, trick.baseDown);
  });
});
