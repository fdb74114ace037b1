import { expect, test } from "vitest";
import type { Watch } from "../../dev/faults/proxy/wire.ts";
import { listArchives } from "../../shared/archive/list.ts";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { BelayError } from "../../shared/errors.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { rollBackWithHooks } from "../../shared/rollback/incident/roll-back-with-hooks.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { proxied } from "../support/proxied.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

const up =
  "create sequence numbers; select setval('numbers', 50); create table notes (id int primary key); insert into notes values (1);";
const pair: Pair = { name: "20250101000000_notes", up, down: "select setval('numbers', 1); drop table notes;" };

async function rollBackWatched(watch: Watch) {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  const before = await photograph(database.url);
  const { proxy, url } = await proxied(database.url);
  proxy.watch(watch);
  const store = createFolderStore(temporaryFolder());
  const result = await executeRollback(testBelay({ database: url, store }), {
    migration: pair.name,
    reason: "test",
  }).catch((error) => error);
  proxy.close();
  const direct = testBelay({ database: database.url, store });
  return { database, before, result, direct };
}

test("the connection goes after the SQL set a sequence back: it is lifted again before the failure is on record", async () => {
  const { database, before, result } = await rollBackWatched(({ sql }, when, link) => {
    if (when === "before" && sql.includes("set outcome = 'committed'")) link.break("cut");
  });
  expect(result).toMatchObject({ code: "connection_lost" });
  expect(await photograph(database.url)).toEqual(before);
  expect(await run(database.url, "select outcome from belay.rollbacks")).toEqual([{ outcome: "failed" }]);
  await database.drop();
});

test("the control session goes right after COMMIT: the archive stays, and the rollback can be undone", async () => {
  const controls = new Set<{ break(how: "cut"): void }>();
  const { database, before, direct } = await rollBackWatched(({ sql }, when, link) => {
    if (link.application === "belay control") controls.add(link);
    if (when === "after" && sql === "commit" && link.application === "belay rollback")
      for (const control of controls) control.break("cut");
  });
  expect(await run(database.url, "select outcome from belay.rollbacks")).toEqual([{ outcome: "committed" }]);
  await undoRollback(direct, { migration: pair.name, reason: "test" });
  expect(await photograph(database.url)).toEqual(before);
  await database.drop();
});

test("every connection freezes while all seem to be there: the command ends after the silence of one, not of each in turn", async () => {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  const before = await photograph(database.url);
  const { proxy, url } = await proxied(database.url);
  let frozenAt = 0;
  proxy.watch(({ sql }, when) => {
    if (frozenAt > 0 || when !== "before" || !sql.includes("pg_export_snapshot")) return;
    frozenAt = performance.now();
    for (const link of proxy.links) link.break("frozen");
  });
  // The server is silent for too long after five seconds more.
  const belay = testBelay({
    database: url,
    store: createFolderStore(temporaryFolder()),
    settings: { statementTimeoutMs: 1_000 },
  });
  const result = await rollBackWithHooks(belay, { migration: pair.name, reason: "test" }).catch((error) => error);
  const endedMs = performance.now() - frozenAt;
  proxy.close();
  expect(result).toMatchObject({ code: "connection_lost" });
  expect(endedMs).toBeLessThan(18_000);
  expect(await run(database.url, "select outcome from belay.rollbacks")).toEqual([{ outcome: "failed" }]);
  expect(await run(database.url, "select incident ->> 'outcome' as outcome from belay.incidents")).toEqual([
    { outcome: "failed" },
  ]);
  expect(await photograph(database.url)).toEqual(before);
  await database.drop();
}, 60_000);

test("a manifest that cannot be removed keeps its archive whole: what is listed must be", async () => {
  const failing: Pair = { ...pair, down: "drop table notes; select 1 / (select 0);" };
  const database = await createDatabase({ installed: true });
  await apply(database.url, failing);
  const store = createFolderStore(temporaryFolder());
  const stubborn = {
    ...store,
    delete: async (key: string) => {
      if (key.endsWith("manifest.json")) throw new BelayError("store_failed", "the store answered 500");
      await store.delete(key);
    },
  };
  const belay = testBelay({ database: database.url, store: stubborn });
  await expect(executeRollback(belay, { migration: pair.name, reason: "test" })).rejects.toMatchObject({
    code: "sql_failed",
  });
  const [listed] = await listArchives(store);
  expect((await verifyArchive(store, listed!.id)).problems).toEqual([]);
  await database.drop();
});
