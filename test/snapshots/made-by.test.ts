import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import { findMakers, readMadeBy } from "../../shared/rollback/plan/made-by.ts";
import { createWorld, type World } from "../migrations/support.ts";

const files = {
  "1_a.sql": "create table a (id int, note text); create table old (id int);",
  "2_b.sql": "alter table a add column later int; create table b (id int);",
  "3_c.sql": "alter table a add column third int; drop table old; create table c (id int);",
};

let world: World;
beforeAll(async () => {
  world = await createWorld(files);
  for (const name of ["1_a", "2_b", "3_c"]) {
    await world.apply(`${name}.sql`);
    await syncMigrations(world.belay, await world.folder(), { appliedTo: name });
  }
});
afterAll(() => world.end());

const table = (name: string) => `TABLE public ${name}`;
const madeBy = async (...names: string[]) => {
  const keys = ["a", "b", "c", "old"].map(table);
  const made = (await readMadeBy(world.session, names, keys, [table("a")]))!;
  const changes = [...made.changes.values()].filter(({ kind }) => kind === "TABLE");
  return {
    changes: changes
      .map(({ name, before, after }) => `${name} ${before === null ? "-" : "+"}${after === null ? "-" : "+"}`)
      .sort(),
    standing: [...made.standing].sort(),
    columns: made.columns.get(table("a")),
  };
};

describe("what migrations made", () => {
  it("of one: its own objects and columns, and what stood before it", async () => {
    expect(await madeBy("3_c")).toEqual({
      changes: ["a ++", "c -+", "old +-"],
      standing: [table("b")],
      columns: { before: ["id", "note", "later"], after: ["id", "note", "later", "third"] },
    });
  });

  it("of several in a row: the first before and the last after of each object", async () => {
    expect(await madeBy("1_a", "2_b", "3_c")).toEqual({
      changes: ["a -+", "b -+", "c -+", "old --"],
      standing: [],
      columns: { before: [], after: ["id", "note", "later", "third"] },
    });
  });

  it("leaves out what one between them made, which stays", async () => {
    const { changes, standing, columns } = await madeBy("1_a", "3_c");
    expect(changes).toEqual(["a -+", "c -+", "old --"]);
    expect(standing).toEqual([]);
    expect(columns).toEqual({ before: [], after: ["id", "note", "third"] });
  });

  it("is told from the outer snapshots where one between has none", async () => {
    await world.session.sql`delete from belay.snapshots where migration_name = '2_b'`;
    expect((await madeBy("1_a", "2_b", "3_c")).changes).toEqual(["a -+", "b -+", "c -+"]);
    await world.session.sql`delete from belay.snapshots where migration_name = '1_a' and moment = 'before'`;
    expect(await readMadeBy(world.session, ["1_a", "2_b", "3_c"], [], [])).toBeNull();
  });

  it("names the newest applied migration that made an object", async () => {
    const keys = ["a", "c", "nobody"].map(table);
    const makers = async () =>
      Object.fromEntries([...(await findMakers(world.session, keys))].map(([key, { migration }]) => [key, migration]));
    expect(await makers()).toEqual({ [table("a")]: "1_a", [table("c")]: "3_c" });
    await world.session.sql`update belay.migration_history set status = 'rolled_back' where migration_name = '3_c'`;
    expect(await makers()).toEqual({ [table("a")]: "1_a" });
  });
});
