import { afterEach, describe, expect, it } from "vitest";
import { readSnapshot } from "../../shared/catalog/snapshots.ts";
import { findDrift } from "../../shared/migrations/drift/drift.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import { createWorld, section, type World } from "../migrations/support.ts";

const files = {
  "1_a.sql": `create table a (id int primary key, note text);${section("drop table a;")}`,
  "2_b.sql": `create table b (id int primary key);${section("drop table b;")}`,
};

let world: World;
afterEach(() => world.end());

const sync = async (appliedTo: string) => syncMigrations(world.belay, await world.folder(), { appliedTo });
const changed = async (name: string) =>
  (await world.session.sql`select key from belay.migration_changes where migration_name = ${name} order by key`).map(
    ({ key }) => key,
  );

describe("a snapshot taken from psql", () => {
  it("is completed by the next sync while nothing changed, so that what was done by hand counts as known", async () => {
    world = await createWorld(files);
    await world.apply("1_a.sql");
    await sync("1_a");
    await world.session.run("create index by_hand on a (note)");
    expect((await sync("1_a")).drift!.objects.map(({ what }) => what)).toEqual(["index public.by_hand"]);

    await world.session.run("select belay.create_migration_snapshot('1_a', 'index for the report')");
    const report = await sync("1_a");
    expect(report.notes).toContain(
      "the snapshot of 1_a (index for the report) is complete: nothing changed since it was taken",
    );
    expect(report.drift).toMatchObject({ comparedWith: { migration: "1_a" }, objects: [] });
    expect((await sync("1_a")).notes).toEqual([]);

    await world.apply("2_b.sql");
    await sync("2_b");
    const before = await readSnapshot(world.session, "2_b", "before");
    expect(before!.entries.map(({ key }) => key)).toContain("INDEX public by_hand");
    expect(await changed("2_b")).toEqual(["CONSTRAINT public b b_pkey", "TABLE public b"]);
  });

  it("stays a comparison only once something changed, and that is named", async () => {
    world = await createWorld(files);
    await world.apply("1_a.sql");
    await sync("1_a");
    await world.session.run("select belay.create_migration_snapshot('1_a', '')");
    await world.session.run("alter table a add column late int");
    expect((await sync("1_a")).notes.join()).toMatch(
      /the snapshot of 1_a stays a comparison only: 1 object changed since \(table public\.a\)/,
    );
    const [row] = await world.session
      .sql`select origin, state from belay.snapshots where moment = 'manual' and migration_name = '1_a'`;
    expect(row).toEqual({ origin: "sql", state: null });
  });
});

describe("the state before a migration that was applied alone", () => {
  it("is unknown to be right without a scratch server", async () => {
    world = await createWorld(files);
    await world.apply("1_a.sql");
    await sync("1_a");
    await world.apply("2_b.sql");
    expect((await sync("2_b")).before).toMatchObject({
      state: "unknown",
      message: expect.stringContaining("BELAY_SCRATCH_URL"),
    });
  });

  it("is confirmed by a replay, and corrected where something was changed by hand before it", async () => {
    world = await createWorld(
      { ...files, "3_c.sql": "alter table a add column more int; create table c (id int);" },
      { scratch: true },
    );
    await world.apply("1_a.sql");
    await sync("1_a");
    await world.apply("2_b.sql");
    expect((await sync("2_b")).before).toMatchObject({ state: "confirmed", strangers: [] });

    await world.session.run("create index by_hand on b (id); comment on table b is 'by hand'");
    await world.apply("3_c.sql");
    const report = await sync("3_c");
    expect(report.before).toMatchObject({
      state: "corrected",
      strangers: ["COMMENT public TABLE b", "INDEX public by_hand"],
    });
    expect(await changed("3_c")).toEqual(["TABLE public a", "TABLE public c"]);
    expect((await findDrift(world.session)).objects).toEqual([]);
  });
});
