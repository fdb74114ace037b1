import { expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { startPooler } from "../support/pooler.ts";
import { createDatabase } from "../support/postgres.ts";
import { proxied } from "../support/proxied.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key); insert into notes values (1), (2);",
  down: "drop table notes;",
};

test("a pooler in transaction mode is refused clearly, with nothing written", async () => {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  const before = await photograph(database.url);
  const pooler = await startPooler(database.url);
  const belay = testBelay({ database: pooler.url });
  const refused = { code: "transaction_pooler", hint: expect.stringContaining("session mode") };
  await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject(refused);
  await expect(undoRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject(refused);
  expect(await photograph(database.url)).toEqual(before);
  expect(await run(database.url, "select count(*)::int as records from belay.rollbacks")).toEqual([{ records: 0 }]);
  pooler.close();
  await database.drop();
});

test("what is refused leaves no setting behind on the pooler's server connections", async () => {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  const pooler = await startPooler(database.url);
  const belay = testBelay({ database: pooler.url });
  for (const verb of [executeRollback, undoRollback])
    await expect(verb(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
      code: "transaction_pooler",
    });
  const set = await pooler.ask("select count(*) from pg_settings where source = 'session'");
  expect(set.length).toBeGreaterThanOrEqual(4);
  expect(new Set(set)).toEqual(new Set(["0"]));
  pooler.close();
  await database.drop();
});

test("Supabase's port 6543 is refused by its number, before anything is sent", async () => {
  const belay = testBelay({ database: "postgres://u:p@127.0.0.1:6543/postgres" });
  const refused = { code: "transaction_pooler", message: expect.stringContaining("6543") };
  await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject(refused);
  await expect(undoRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject(refused);
});

test("a pooler in session mode, one backend for each session, is none", async () => {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  const before = await photograph(database.url);
  const { proxy, url } = await proxied(database.url);
  const belay = testBelay({ database: url, store: createFolderStore(temporaryFolder()) });
  await executeRollback(belay, { migration: pair.name, reason: "test" });
  await undoRollback(belay, { migration: pair.name, reason: "test" });
  expect(await photograph(database.url)).toEqual(before);
  proxy.close();
  await database.drop();
});
