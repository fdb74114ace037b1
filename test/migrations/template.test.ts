import { afterEach, describe, expect, it } from "vitest";
import { splitSections } from "../../shared/migrations/layouts/sections.ts";
import { proposeTemplate, proposeTemplates } from "../../shared/migrations/template/propose.ts";
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
    expect(proposal.destroys).toEqual(["all rows of public.b", "the values of public.a.note"]);
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
    expect(proposal).toMatchObject({ state: "proved", destroys: [], risk: "LOW", riskReasons: ["nothing is lost"] });
    expect(proposal.sql).toBe("ALTER TABLE public.renamed RENAME TO a;");
  });

  it("puts a detached, moved and renamed partition back instead of making it anew", async () => {
    world = await createWorld(
      {
        "1_a.sql":
          "create table p (id int) partition by list (id); create table c partition of p for values in (1); create schema other;",
        "2_b.sql": "alter table p detach partition c; alter table c set schema other; alter table other.c rename to d;",
      },
      { scratch: true },
    );
    const proposal = await proposeTemplate(world.belay, "2_b", await world.folder());
    expect(proposal).toMatchObject({ state: "proved", destroys: [] });
    expect(proposal.statements).toEqual([
      "ALTER TABLE other.d SET SCHEMA public",
      "ALTER TABLE public.d RENAME TO c",
      "ALTER TABLE ONLY public.p ATTACH PARTITION public.c FOR VALUES IN (1)",
    ]);
  });

  it("refuses SQL that drops and creates again what was there before, though every entry would be equal", async () => {
    world = await createWorld(
      {
        "1_a.sql": "create table a (i int); create table b (j int) inherits (a);",
        "2_b.sql": "alter table b no inherit a;",
      },
      { scratch: true },
    );
    const proposal = await proposeTemplate(world.belay, "2_b", await world.folder());
    expect(proposal).toMatchObject({ state: "refused", sql: null, text: null });
    expect(proposal.message).toMatch(/table public\.b/);
  });

  it("says when it is not available, and when there is nothing to undo", async () => {
    world = await createWorld({ "1_a.sql": "create table a (id int);", "2_b.sql": "insert into a values (1);" });
    const folder = await world.folder();
    await expect(proposeTemplate(world.belay, "1_a", folder)).rejects.toMatchObject({ code: "scratch_unavailable" });
    await expect(proposeTemplate(world.belay, "nope", folder)).rejects.toMatchObject({ code: "unknown_migration" });
    const other = await createWorld({}, { scratch: true });
    expect(await proposeTemplate(other.belay, "2_b", folder)).toMatchObject({ state: "nothing_to_do" });
    await other.end();
  });

  it("says what a rollback cannot bring back, and where rows make it fail", async () => {
    world = await createWorld(
      {
        "1_a.sql": "create table a (id int primary key, note text not null, n int); create table gone (id int);",
        "2_b.sql":
          "update a set n = 1;\ndelete from a where n = 2;\nalter table a drop column note;\ndrop table gone;\nalter table a alter n type bigint;",
      },
      { scratch: true },
    );
    const proposal = await proposeTemplate(world.belay, "2_b", await world.folder());
    expect(proposal).toMatchObject({
      risk: "HIGH",
      destroys: ["what a conversion of public.a.n to its old type cuts off"],
    });
    expect(proposal.notBroughtBack).toEqual([
      "the rows of public.gone, which the migration dropped: the table comes back empty",
      "the values of public.a.note, which the migration dropped: the column comes back empty",
      "line 1 of the migration changes values, which are not as before again: update a set n = 1",
      "line 2 of the migration deletes rows, which do not come back: delete from a where n = 2",
    ]);
    expect(proposal.failsOn).toEqual([expect.stringMatching(/^public\.a\.note comes back NOT NULL/)]);
    expect(proposal.text).toMatch(/-- -- {3}- select exists \(select from pg_attribute .* 'note'/);
  });

  it("does not take a label from an enum, and names the one that stays", async () => {
    world = await createWorld(
      {
        "1_a.sql": "create type mood as enum ('x'); create table t (m mood);",
        "2_b.sql": "alter type mood add value 'y';",
        "3_c.sql": "alter type mood add value 'z'; create table u (id int);",
      },
      { scratch: true },
    );
    const [only, more] = await proposeTemplates(world.belay, ["2_b", "3_c"], await world.folder());
    const stays = "TYPE public mood: keeps 'y': Postgres cannot take a label from an enum";
    expect(only).toMatchObject({ migration: "2_b", state: "not_available", message: stays, sql: null });
    expect(more).toMatchObject({ migration: "3_c", state: "not_proved", sql: "DROP TABLE public.u;" });
    expect(more!.differences).toEqual([stays.replace("'y'", "'z'")]);
  });

  it("gives back exchanged names, and does not take a new column for the one that was dropped", async () => {
    world = await createWorld(
      {
        "1_a.sql": "create table a (i int, j text); create table b (i int); create table c (i int, gone text);",
        "2_b.sql":
          "alter table a rename to x; alter table b rename to a; alter table x rename to b; alter table b rename i to z; alter table b rename j to i; alter table b rename z to j;",
        "3_c.sql": "alter table c drop column gone; alter table c add column came text;",
      },
      { scratch: true },
    );
    const [swapped, other] = await proposeTemplates(world.belay, ["2_b", "3_c"], await world.folder());
    expect(swapped).toMatchObject({ state: "proved", destroys: [], risk: "LOW" });
    expect(swapped!.statements.every((sql) => sql.includes(" RENAME "))).toBe(true);
    expect(other).toMatchObject({
      state: "proved",
      statements: ["ALTER TABLE public.c DROP COLUMN came", "ALTER TABLE public.c ADD COLUMN gone text"],
    });
  });

  it("changes a table that the migration made anew in place: its rows are the old ones", async () => {
    world = await createWorld(
      {
        "1_a.sql": "create table t (i int primary key, a text);",
        "2_b.sql":
          "create table t2 (i bigint primary key, a text, b int); insert into t2 select * from t; drop table t; alter table t2 rename to t;",
      },
      { scratch: true },
    );
    const proposal = await proposeTemplate(world.belay, "2_b", await world.folder());
    expect(proposal.state).toBe("proved");
    expect(proposal.destroys).toEqual([
      "the values of public.t.b",
      "what a conversion of public.t.i to its old type cuts off",
    ]);
  });
});
