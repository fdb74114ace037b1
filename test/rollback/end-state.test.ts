import { describe, expect, test } from "vitest";
import { migrationOf } from "../../dev/migration-of.ts";
import { readSnapshotCatalog, storeSnapshot } from "../../shared/catalog/snapshots.ts";
import { installBelay } from "../../shared/install.ts";
import { insertMigration } from "../../shared/migrations/ledger/ledger.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase } from "../support/postgres.ts";
import { type Pair, photograph, withDatabase } from "./helpers.ts";

const name = "20250101000000_change";

/** Applies a migration with its snapshots of before and after. */
async function applyWithSnapshots(url: string, pair: Pair): Promise<void> {
  await withDatabase(url, async (session) => {
    await installBelay(session);
    await session.run("create table people (id int primary key, name text, age int)");
    const before = await readSnapshotCatalog(session);
    await session.run(pair.up);
    await insertMigration(session, migrationOf(pair), { actor: "tester", status: "applied" });
    await storeSnapshot(session, before, { migration: pair.name, moment: "before", origin: "live" });
    const after = await readSnapshotCatalog(session);
    await storeSnapshot(session, after, { migration: pair.name, moment: "after", origin: "live" });
  });
}

describe("the end state of a rollback", () => {
  test("is as_before when every object is as in the snapshot of before the migration", async () => {
    const database = await createDatabase();
    await applyWithSnapshots(database.url, {
      name,
      up: "create index people_name on people (name)",
      down: "drop index people_name",
    });
    const report = await executeRollback(testBelay({ database: database.url }), { migration: name, reason: "test" });
    expect(report.endState).toBe("as_before");
    await database.drop();
  });

  test("that leaves an object over is refused, and nothing changed", async () => {
    const database = await createDatabase();
    const up = "create index people_name on people (name); create table extra (id int primary key)";
    await applyWithSnapshots(database.url, { name, up, down: "drop table extra" });
    const before = await photograph(database.url);
    await expect(
      executeRollback(testBelay({ database: database.url }), { migration: name, reason: "test" }),
    ).rejects.toMatchObject({ code: "end_state_differs", message: expect.stringMatching(/people_name is left over/) });
    expect(await photograph(database.url)).toEqual(before);
    await database.drop();
  });

  test("that differs in the order of columns alone is accepted and said", async () => {
    const database = await createDatabase();
    await applyWithSnapshots(database.url, {
      name,
      up: "alter table people drop column name",
      down: "alter table people add column name text",
    });
    const report = await executeRollback(testBelay({ database: database.url }), { migration: name, reason: "test" });
    expect(report.endState).toBe("as_before");
    expect(report.notes.join()).toMatch(/columns in another order/);
    await database.drop();
  });

  test("with a sequence behind its column is refused", async () => {
    const database = await createDatabase();
    await applyWithSnapshots(database.url, {
      name,
      up: "create index people_name on people (name)",
      down: "drop index people_name; create table old_people (id serial primary key); insert into old_people values (50)",
    });
    await expect(
      executeRollback(testBelay({ database: database.url }), { migration: name, reason: "test" }),
    ).rejects.toMatchObject({ code: "end_state_differs", message: expect.stringMatching(/old_people_id_seq behind/) });
    await database.drop();
  });
});
