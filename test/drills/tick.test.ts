import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listSchedules, saveSchedule } from "../../drills/schedules.ts";
import { settleAbandoned } from "../../drills/settle.ts";
import { tick } from "../../drills/tick.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import type { Belay } from "../../shared/context.ts";
import { createScratch, newScratchName } from "../../shared/postgres/scratch.ts";
import { makeWorld, type World } from "../functions/world.ts";

let world: World;
let belay: Belay;
const at = (text: string) => new Date(`2026-11-20T${text}Z`);

beforeAll(async () => {
  world = await makeWorld();
  await world.session.run("create table t (id int primary key); insert into t values (1)");
});
afterAll(() => world.drop());
beforeEach(async () => {
  belay = world.belay("cron");
  await world.session.run("delete from belay.drill_checks; delete from belay.drills; delete from belay.schedules");
});

async function schedule(cron: string, madeAt = at("00:00:00"), enabled = true) {
  await saveSchedule(belay, { name: "nightly", cron, archiveChoice: "latest", enabled });
  await world.session.sql`update belay.schedules set created_at = ${madeAt}`;
}

async function drills(): Promise<number> {
  const [row] = await world.session.sql`select count(*)::int as count from belay.drills`;
  return row!.count;
}

describe("a tick", () => {
  it("starts a drill that is due, once, however many ticks arrive at once", async () => {
    await dumpDatabase(belay, { reason: "test" });
    await schedule("0 3 * * *");
    const results = await Promise.all(Array.from({ length: 6 }, () => tick(belay, at("03:00:20"))));
    const reports = (await Promise.all(results.map((result) => result.finished))).flat();
    expect(reports.length).toBe(1);
    expect(reports[0]).toMatchObject({
      verdict: "pass",
      schedule: "nightly",
      dueAt: "2026-11-20T03:00:00.000Z",
      actor: "cron",
    });
    expect((await tick(belay, at("03:00:59"))).started).toEqual([]);
    expect((await tick(belay, at("03:20:00"))).started).toEqual([]);
    expect(await drills()).toBe(1);
  });

  it("at a minute that is not due starts nothing", async () => {
    await schedule("0 3 * * *");
    expect((await tick(belay, at("02:59:59"))).started).toEqual([]);
  });

  it("that comes late makes good one missed minute, and one of an hour ago not any more", async () => {
    await schedule("*/10 3 * * *");
    const late = await tick(belay, at("03:35:00"));
    expect(late.started.map((drill) => drill.dueAt)).toEqual(["2026-11-20T03:30:00.000Z"]);
    await late.finished;
    expect((await tick(belay, at("05:00:00"))).started).toEqual([]);
  });

  it("leaves out schedules that are off, and minutes from before the schedule was made", async () => {
    await schedule("0 3 * * *", at("00:00:00"), false);
    expect((await tick(belay, at("03:00:00"))).started).toEqual([]);
    await schedule("0 3 * * *", at("03:10:00"));
    expect((await tick(belay, at("03:15:00"))).started).toEqual([]);
  });

  it("starts a schedule in the very minute in which it was made", async () => {
    await schedule("* * * * *", at("03:10:30"));
    const { started, finished } = await tick(belay, at("03:10:40"));
    expect(started.length).toBe(1);
    await finished;
  });

  it("names a broken cron expression and starts the others", async () => {
    await schedule("* * * * *");
    await world.session.run("insert into belay.schedules (name, cron) values ('broken', 'every day')");
    const { started, broken, finished } = await tick(belay, at("03:00:00"));
    await finished;
    expect(started.map((drill) => drill.schedule)).toEqual(["nightly"]);
    expect(broken).toEqual([{ schedule: "broken", why: expect.stringContaining("every day") }]);
  });

  it("with no archive in the store records that nothing could be drilled: never a pass", async () => {
    const empty = await makeWorld();
    try {
      const other = empty.belay("cron");
      await saveSchedule(other, { name: "nightly", cron: "* * * * *", archiveChoice: "latest", enabled: true });
      const [report] = await (await tick(other, new Date())).finished;
      expect(report).toMatchObject({
        verdict: "inconclusive",
        archiveId: "latest",
        summary: expect.stringContaining("no archive"),
      });
    } finally {
      await empty.drop();
    }
  });
});

describe("schedules", () => {
  it("are changed in place, on record, and refused with a wrong expression", async () => {
    await schedule("0 3 * * *");
    await schedule("0 4 * * *");
    expect(await listSchedules(belay)).toEqual([
      { name: "nightly", cron: "0 4 * * *", archiveChoice: "latest", enabled: true },
    ]);
    await expect(schedule("0 25 * * *")).rejects.toMatchObject({ code: "usage" });
    const rows = await world.session
      .sql`select * from belay.audit_log where action = 'schedule.saved' and subject = 'nightly'`;
    expect(rows.length).toBeGreaterThanOrEqual(2);
  });
});

describe("a drill whose process died", () => {
  async function abandoned(scratch: string, hoursAgo: number): Promise<string> {
    const [row] = await world.session.sql`
      insert into belay.drills (archive_id, actor, scratch_database, started_at)
      values ('x', 'gone', ${scratch}, now() - make_interval(hours => ${hoursAgo})) returning id`;
    return row!.id;
  }
  const exists = async (name: string) =>
    (await world.session.sql`select from pg_database where datname = ${name}`).length === 1;

  it("is settled as inconclusive, and its scratch database dropped", async () => {
    const name = newScratchName();
    const id = await abandoned(name, 7);
    const scratch = await createScratch(belay, id, name);
    await scratch.session.close();
    expect(await settleAbandoned(belay)).toEqual([id]);
    expect(await exists(name)).toBe(false);
    const [row] = await world.session.sql`select verdict from belay.drills where id = ${id}`;
    expect(row!.verdict).toBe("inconclusive");
  });

  it("loses no database that is not marked as its own", async () => {
    const name = newScratchName();
    const other = await createScratch(belay, "another-drill", name);
    const unmarked = newScratchName();
    await world.session.run(`create database ${unmarked}`);
    try {
      await abandoned(name, 7);
      await abandoned(unmarked, 7);
      await settleAbandoned(belay);
      expect([await exists(name), await exists(unmarked)]).toEqual([true, true]);
    } finally {
      await other.drop();
      await world.session.run(`drop database ${unmarked}`);
    }
  });

  it("is left alone while it may still be running", async () => {
    await abandoned(newScratchName(), 5);
    expect(await settleAbandoned(belay)).toEqual([]);
  });
});
