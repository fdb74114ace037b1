import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderCheck, renderPlan } from "../../cli/render/plan.ts";
import { findDrift } from "../../shared/migrations/drift/drift.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { createWorld, section, type World } from "../migrations/support.ts";

const files = {
  "1_a.sql": `create table a (id int primary key, note text);${section("drop table a;")}`,
  "2_b.sql": `create table b (id int primary key);\ncreate view v as select id from b;${section("drop view v;\ndrop table b;")}`,
  "3_c.sql": `create table c (id int);${section("drop table c;")}`,
};

let world: World;
const sync = async (name: string) => {
  await world.apply(`${name}.sql`);
  return syncMigrations(world.belay, await world.folder(), { appliedTo: name });
};
const plan = (migration: string) => planRollback(world.belay, { migration });
const differences = async () =>
  (await findDrift(world.session)).objects.map((object) => `${object.what}: ${object.difference}`);

beforeAll(async () => {
  world = await createWorld(files);
  for (const name of ["1_a", "2_b", "3_c"]) await sync(name);
});
afterAll(() => world.end());

describe("drift", () => {
  it("is nothing while only migrations changed the database", async () => {
    const drift = await findDrift(world.session);
    expect(drift).toMatchObject({ comparedWith: { migration: "3_c" }, objects: [] });
    expect((await plan("2_b")).drift).toEqual(drift);
  });

  it("names what was added, changed and dropped by hand, with the text before and after", async () => {
    await world.session.run(
      "alter table b add column by_hand int; create index extra on a (note); drop table c; comment on table a is 'kept by hand'",
    );
    const { objects } = await findDrift(world.session);
    expect(objects.map((object) => `${object.what}: ${object.difference}`)).toEqual([
      "table public.b: changed",
      "table public.c: missing",
      "index public.extra: added",
      "comment on public.TABLE a: added",
    ]);
    const b = objects.find(({ key }) => key === "TABLE public b")!;
    expect(b.before).not.toContain("by_hand");
    expect(b.after).toContain("by_hand integer");
  });

  it("in a plan is what the rollback touches, a reason of its risk, and blocks nothing", async () => {
    const of = async (name: string) => {
      const { drift, gates, riskReasons } = await plan(name);
      expect(gates.find((gate) => gate.name === "provenance")!.blocking).toBe(false);
      return { objects: drift.objects.map(({ key, difference }) => `${key} ${difference}`), riskReasons };
    };
    expect((await of("1_a")).objects).toEqual(["INDEX public extra added", "COMMENT public TABLE a added"]);
    const b = await of("2_b");
    expect(b.objects).toContain("TABLE public b changed");
    expect(b.riskReasons.join()).toMatch(/1 object that it touches was changed past the migrations/);
    expect((await of("3_c")).objects).toContain("TABLE public c missing");
  });

  it("is shown with check and, with its text, in the plan", async () => {
    const made = await plan("2_b");
    const check = renderCheck(made, { width: 200 }).join("\n");
    expect(check).toMatch(/Changed past the migrations, since the snapshot after 3_c/);
    expect(check).toContain("~ table public.b was changed");
    expect(renderPlan(made, { width: 200 }).join("\n")).toMatch(/\+ .*by_hand integer/);
  });

  it("expects of a migration that was rolled back since that it is gone", async () => {
    await world.session.run(
      "alter table b drop column by_hand; drop index extra; create table c (id int); comment on table a is null",
    );
    expect(await differences()).toEqual([]);
    await world.session.run("drop view v; drop table b");
    expect((await differences()).length).toBeGreaterThan(2);
    await world.session
      .sql`update belay.migration_history set status = 'rolled_back', rollback_at = clock_timestamp() where migration_name = '2_b'`;
    expect(await differences()).toEqual([]);
    await world.session.sql`delete from belay.snapshots where migration_name = '2_b'`;
    expect(await findDrift(world.session)).toEqual({ comparedWith: null, objects: [] });
  });
});
