import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { installBelay } from "../../shared/install.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { giveBack, takeOver } from "../../shared/rollback/hooks/journal.ts";
import {
  readMaintenance,
  renew,
  settleMaintenance,
  switchOff,
  switchOn,
} from "../../shared/rollback/hooks/maintenance.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let session: Session;
let other: Session;
const [mine, theirs] = ["11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"];

beforeAll(async () => {
  database = await createDatabase({ installed: true });
  [session, other] = await Promise.all([openSession(database.url), openSession(database.url)]);
  await installBelay(session);
  for (const id of [mine, theirs])
    await session.sql`insert into belay.rollbacks (id, migration_name, plan_hash, plan, reason, actor) values (${id}, 'm', '', '{}', 'r', 'a')`;
});
afterAll(async () => {
  await Promise.all([session, other].map((one) => one.close()));
  await database.drop();
});
beforeEach(async () => {
  await session.run("update belay.maintenance set active = false; update belay.rollbacks set outcome = 'intended'");
});

const on = (rollbackId: string | null) =>
  switchOn(session, { rollbackId, message: "back soon", minutes: 5, actor: "anna" });
const ended = (id: string) => session.sql`update belay.rollbacks set outcome = 'failed' where id = ${id}`;

describe("the maintenance row", () => {
  it("is its owner's: a rollback takes it neither from a person nor from another that runs", async () => {
    expect(await on(null)).toMatchObject({ active: true, rollbackId: null });
    expect(await on(mine)).toMatchObject({ active: true, rollbackId: null });
    expect(await switchOff(session, mine)).toBe(false);
    await session.run("update belay.maintenance set active = false");
    expect(await on(theirs)).toMatchObject({ rollbackId: theirs });
    expect(await on(mine)).toMatchObject({ rollbackId: theirs });
    expect(await on(null)).toMatchObject({ rollbackId: null });
  });

  it("is taken over when its time has passed or its rollback has ended", async () => {
    await on(theirs);
    await session.run("update belay.maintenance set expected_until = clock_timestamp()");
    expect(await readMaintenance(session)).toMatchObject({ active: false, expired: true });
    expect(await on(mine)).toMatchObject({ active: true, rollbackId: mine, expired: false });
    await ended(mine);
    expect(await on(theirs)).toMatchObject({ rollbackId: theirs });
    expect(await switchOff(session, mine)).toBe(false);
    expect(await switchOff(session, theirs)).toBe(true);
  });

  it("is renewed by its owner alone", async () => {
    const { expectedUntil } = await on(mine);
    await renew(session, theirs, 60);
    expect(await readMaintenance(session)).toMatchObject({ expectedUntil });
    await renew(session, mine, 60);
    expect(Date.parse((await readMaintenance(session)).expectedUntil!) - Date.parse(expectedUntil!)).toBeGreaterThan(
      50 * 60_000,
    );
  });

  it("of an ended rollback is switched off by the next run, unless its process lives", async () => {
    await on(mine);
    await settleMaintenance(other);
    expect(await readMaintenance(session)).toMatchObject({ active: true });
    await ended(mine);
    expect(await takeOver(session, mine)).toBe(true);
    await settleMaintenance(other);
    expect(await readMaintenance(session)).toMatchObject({ active: true });
    await giveBack(session, mine);
    await settleMaintenance(other);
    expect(await readMaintenance(session)).toMatchObject({ active: false });
  });
});
