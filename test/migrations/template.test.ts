import { afterEach, describe, expect, it } from "vitest";
import { splitSections } from "../../shared/migrations/layouts/sections.ts";
import { proposeTemplate } from "../../shared/migrations/template.ts";
import { createWorld, type World } from "./support.ts";

let world: World;
afterEach(() => world.end());

describe("template", () => {
  it("proposes SQL that was proved on a scratch copy, as a commented section with its losses", async () => {
    world = await createWorld(
      {
        "1_a.sql": "create table a (id int primary key);",
        "2_b.sql":
          "create type mood as enum ('x'); create table b (id serial primary key, m mood, a int references a); alter table a add column note text; create index on a (note);",
      },
      { scratch: true },
    );
    const proposal = await proposeTemplate(world.belay, "2_b", await world.folder());
    expect(proposal).toMatchObject({ state: "proved", differences: [], risk: "HIGH" });
    expect(proposal.dataLoss.join("\n")).toMatch(/all rows of .*b/);
    expect(proposal.dataLoss.join("\n")).toMatch(/values of public\.a\.note/);
    const split = splitSections({ path: "x", name: "x", text: `select 1;\n${proposal.text}` });
    expect(split.rollback).toMatchObject({ live: false });
    await world.apply("1_a.sql");
    await world.session.run("begin");
    await world.apply("2_b.sql");
    await world.session.run(split.rollback!.sql);
    expect(
      await world.session
        .sql`select attname from pg_attribute where attrelid = 'public.a'::regclass and attnum > 0 and not attisdropped`,
    ).toMatchObject([{ attname: "id" }]);
    await world.session.run("rollback");
  });

  it("turns a rename back, instead of dropping and creating what was there before", async () => {
    world = await createWorld(
      { "1_a.sql": "create table a (id int, note text);", "2_b.sql": "alter table a rename to renamed;" },
      { scratch: true },
    );
    const proposal = await proposeTemplate(world.belay, "2_b", await world.folder());
    expect(proposal).toMatchObject({ state: "proved", dataLoss: [], risk: "LOW" });
    expect(proposal.sql).toMatch(/RENAME TO "a"/);
  });

  it("refuses SQL that drops and creates again what was there before, though every entry would be equal", async () => {
    world = await createWorld(
      {
        "1_a.sql":
          "create table p (id int) partition by list (id); create table c partition of p for values in (1); create schema other;",
        "2_b.sql": "alter table p detach partition c; alter table c set schema other; alter table other.c rename to d;",
      },
      { scratch: true },
    );
    const proposal = await proposeTemplate(world.belay, "2_b", await world.folder());
    expect(proposal).toMatchObject({ state: "refused", sql: null, text: null });
    expect(proposal.message).toMatch(/table public\.c/);
  });

  it("says when it is not available, and when there is nothing to undo", async () => {
    world = await createWorld({ "1_a.sql": "create table a (id int);", "2_b.sql": "insert into a values (1);" });
    const folder = await world.folder();
    expect(await proposeTemplate(world.belay, "1_a", folder)).toMatchObject({
      state: "not_available",
      message: expect.stringContaining("scratch"),
    });
    await expect(proposeTemplate(world.belay, "nope", folder)).rejects.toMatchObject({ code: "unknown_migration" });
    const other = await createWorld({}, { scratch: true });
    expect(await proposeTemplate(other.belay, "2_b", folder)).toMatchObject({ state: "nothing_to_do" });
    await other.end();
  });
});
