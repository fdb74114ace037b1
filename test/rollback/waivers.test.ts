import { describe, expect, test } from "vitest";
import { readSnapshotCatalog, storeSnapshot } from "../../shared/catalog/snapshots.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { readAccount } from "../../shared/rollback/guard/account.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { recordSequences, recordTransaction } from "../../shared/rollback/transaction/intent.ts";
import { settleEarlierAttempts } from "../../shared/rollback/transaction/settle.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, type Pair, photograph, run, withDatabase } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_change",
  up: "create index people_name on people (name); create table extra (id int primary key);",
  down: "drop table extra;",
};

async function changed() {
  const database = await createDatabase({ installed: true });
  await run(database.url, "create table people (id serial primary key, name text)");
  const before = await withDatabase(database.url, readSnapshotCatalog);
  await apply(database.url, pair);
  await withDatabase(database.url, async (session) => {
    await storeSnapshot(session, before, { migration: pair.name, moment: "before", origin: "live" });
    const after = await readSnapshotCatalog(session);
    await storeSnapshot(session, after, { migration: pair.name, moment: "after", origin: "live" });
  });
  return { database, belay: testBelay({ database: database.url, actor: "ann" }) };
}

describe("a waiver", () => {
  test("lets a rollback end elsewhere, on record with who and why, and in the plan's hash", async () => {
    const { database, belay } = await changed();
    const request = { migration: pair.name, reason: "the index stays", waive: ["end_state"] };
    await expect(executeRollback(belay, { ...request, waive: [] })).rejects.toMatchObject({
      code: "end_state_differs",
    });
    const plain = await planRollback(belay, { migration: pair.name });
    const plan = await planRollback(belay, request);
    expect(plan.hash).not.toBe(plain.hash);
    expect(plan.gates.find(({ name }) => name === "end_state")).toMatchObject({ state: "waived" });
    await expect(executeRollback(belay, { ...request, planHash: plain.hash })).rejects.toMatchObject({
      code: "plan_changed",
    });
    const report = await executeRollback(belay, { ...request, planHash: plan.hash });
    expect(report.endState).toBe("waived");
    expect(report.notes.join("\n")).toMatch(
      /people_name is left over[\s\S]*end_state was waived by ann: the index stays/,
    );
    expect(await run(database.url, "select plan_hash, actor, decision, gate, reason from belay.approvals")).toEqual([
      { plan_hash: plan.hash, actor: "ann", decision: "waived", gate: "end_state", reason: "the index stays" },
    ]);
    await database.drop();
  });

  test.each(["provenance", "dependents", "status", "nonsense"])("of gate %s is refused", async (gate) => {
    const { database, belay } = await changed();
    const before = await photograph(database.url);
    await expect(executeRollback(belay, { migration: pair.name, reason: "test", waive: [gate] })).rejects.toMatchObject(
      { code: "usage" },
    );
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });
});

test("a process killed after setval: the next run lifts the sequence to where it stood", async () => {
  const { database } = await changed();
  await run(database.url, "insert into people (name) select 'x' from generate_series(1, 9)");
  await withDatabase(database.url, async (control) => {
    const [row] = await control.sql`
      insert into belay.rollbacks (migration_name, plan_hash, plan, reason, actor) values ('m', '', '{}', 'test', 'killed') returning id`;
    await withDatabase(database.url, async (killed) => {
      await killed.run("begin");
      const [xid] = await killed.sql`select pg_current_xact_id()::text as xid`;
      await recordTransaction(control, row!.id, xid!.xid, killed.pid);
      await recordSequences(control, row!.id, await readAccount(control));
      await killed.run("select setval('people_id_seq', 1)");
      await killed.destroy();
    });
    await expect
      .poll(async () => {
        await settleEarlierAttempts(control);
        return (await control.sql`select outcome from belay.rollbacks`)[0]!.outcome;
      })
      .toBe("failed");
    expect([...(await control.run("select nextval('people_id_seq')::int as next"))]).toEqual([{ next: 10 }]);
  });
  await database.drop();
});
