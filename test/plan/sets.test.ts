import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { planSchema } from "../../shared/rollback/types.ts";
import { projectOf, type Step } from "./project.ts";

const users: Step = {
  name: "20250101_users",
  up: "create table users (id bigint generated always as identity primary key, email text not null); insert into users (email) select 'u' || n from generate_series(1, 4) n;",
  down: "drop table users;",
};
const posts: Step = {
  name: "20250102_posts",
  up: "create table posts (id serial primary key, author bigint not null references users); insert into posts (author) values (1), (2); alter table users add column bio text;",
  down: "begin;\ndrop table posts;\nalter table users drop column bio;\ncommit;",
  dependsOn: "20250101_users",
};
const tags: Step = {
  name: "20250103_tags",
  up: "create table tags (id int primary key); create index posts_author on posts (author);",
  down: "drop index concurrently posts_author;\ndrop table tags;",
};
const names = [tags.name, posts.name, users.name];

describe("a plan of several migrations", () => {
  it("goes newest first as one, whichever way it is asked for, with one hash", async () => {
    const { belay } = await projectOf([
      { name: "20250100_base", up: "select 1;", down: "select 1;" },
      users,
      posts,
      tags,
    ]);
    const plan = await planRollback(belay, { to: "20250100" });
    expect(planSchema.parse(plan)).toEqual(plan);
    expect(plan).toMatchObject({
      format: "belay-plan/2",
      target: { kind: "to", value: "20250100" },
      migration: names[0],
    });
    expect(plan.migrations.map(({ migration }) => migration)).toEqual(names);
    expect(plan.migrations.map(({ destroys }) => destroys)).toMatchObject([
      { tables: ["public.tags"], rows: 0 },
      { tables: ["public.posts"], sequences: ["public.posts_id_seq"], rows: 2 },
      { tables: ["public.users"], columns: [], rows: 4 },
    ]);
    expect(plan.gates.filter((gate) => gate.blocking)).toEqual([]);
    expect(plan).toMatchObject({ canRollBack: true, part: null, dependents: [] });
    const named = await planRollback(belay, { migrations: [users.name, tags.name, "20250102"] });
    expect(named.target).toEqual({ kind: "migrations", value: `${users.name} ${tags.name} 20250102` });
    expect(named.hash).toBe(plan.hash);
    expect((await planRollback(belay, { migration: "latest" })).migrations).toMatchObject([{ migration: tags.name }]);
  });

  it("runs each file's statements under its name, without its own transaction and without CONCURRENTLY", async () => {
    const { belay } = await projectOf([users, posts, tags]);
    const plan = await planRollback(belay, { migrations: names });
    expect(plan.sql.match(/^-- 2025.*$/gm)).toEqual(names.map((name) => expect.stringContaining(`-- ${name} (`)));
    expect(plan.sql).not.toMatch(/^\s*(begin|commit);/m);
    expect(plan.sql).not.toMatch(/concurrently/);
    expect(plan.rewrites).toEqual([
      expect.stringMatching(/^20250103_tags: CONCURRENTLY taken off/),
      expect.stringMatching(/^20250102_posts: begin .* taken off/),
    ]);
    expect(plan.effect.objects.find(({ name }) => name === "posts")).toMatchObject({ migration: posts.name });
    expect(plan.effect.objects.find(({ name }) => name === "posts_author")).toMatchObject({ migration: tags.name });
  });

  it("names a dependent outside of the set, and what to add", async () => {
    const { belay } = await projectOf([users, posts, tags]);
    const plan = await planRollback(belay, { migrations: [users.name, tags.name] });
    const gate = plan.gates.find(({ name }) => name === "dependents")!;
    expect(gate).toMatchObject({ state: "failed", evidence: expect.stringContaining(posts.name) });
    expect(gate.next).toContain(`belay plan ${posts.name} ${tags.name} ${users.name}`);
    expect(plan).toMatchObject({
      canRollBack: false,
      verdict: "roll_back_part",
      part: { migrations: [tags.name], stopsAt: users.name, command: `belay plan ${tags.name}` },
    });
  });

  it("orders by what depends on what, not by version alone", async () => {
    const late = { ...posts, name: "20250105_posts" };
    const apart = { name: "20250106_tags", up: "create table tags (id int);", down: "drop table tags;" };
    const { belay, session } = await projectOf([users, late, apart]);
    await session.run(
      "insert into belay.migration_dependencies (migration_name, depends_on, found) values ('20250105_posts', '20250106_tags', 'declared')",
    );
    const plan = await planRollback(belay, { migrations: ["20250105_posts", "20250106_tags"] });
    expect(plan.migrations.map(({ migration }) => migration)).toEqual(["20250105_posts", "20250106_tags"]);
  });

  it("begins each file with the database's own search_path", async () => {
    const { belay } = await projectOf([
      {
        name: "20250101_a",
        up: "create schema a; create table a.t (id int); create table t (id int);",
        down: "drop table t;",
      },
      { name: "20250102_b", up: "create table a.u (id int);", down: "set search_path = a;\ndrop table u;" },
    ]);
    const plan = await planRollback(belay, { migrations: ["20250101_a", "20250102_b"] });
    expect(plan.effect.tables.map(({ schema, table }) => `${schema}.${table}`).sort()).toEqual(["a.u", "public.t"]);
  });
});

describe("what a set cannot take with it", () => {
  it.each([
    ["has no rollback SQL", { ...posts, down: null }, /no rollback SQL/],
    ["does not parse", { ...posts, down: "drop table if not exists posts;" }, /syntax error/],
    [
      "takes what it did not make",
      { ...posts, down: "drop table posts cascade;\ndrop table users cascade;" },
      /did not make|fail/,
    ],
    ["names what is not there", { ...posts, down: "drop table nothing;" }, /nothing is not there/],
  ])("a migration in the middle that %s stops it there, and the newest part can go", async (_, middle, why) => {
    const { belay } = await projectOf([{ ...users, down: "drop table users;" }, middle, tags]);
    const plan = await planRollback(belay, { migrations: [tags.name, middle.name, users.name] });
    expect(plan.canRollBack).toBe(false);
    expect(plan.verdict).toBe("roll_back_part");
    expect(plan.part).toMatchObject({ migrations: [tags.name], stopsAt: middle.name, why: expect.stringMatching(why) });
    const to = await planRollback(belay, { migration: tags.name });
    expect(to.canRollBack).toBe(true);
  });

  it("says --to where that is the same, and nothing where not even the newest can go", async () => {
    const { belay } = await projectOf([
      users,
      { ...posts, down: null },
      tags,
      { name: "20250104_x", up: "create table x (id int);", down: "drop table x;" },
    ]);
    const plan = await planRollback(belay, { to: users.name });
    expect(plan.part).toMatchObject({
      migrations: ["20250104_x", tags.name],
      command: `belay plan --to ${posts.name}`,
    });
    const newest = await planRollback(belay, { migrations: [posts.name, users.name] });
    expect(newest).toMatchObject({ part: null, canRollBack: false });
    expect(newest.verdict).not.toBe("roll_back_part");
  });

  it("is refused where rollback SQL would also reverse what is to stay", async () => {
    const { belay, session } = await projectOf([users, posts, tags]);
    await session.run(
      `update belay.migration_history set metadata = jsonb_set(metadata, '{reverses}', '["20250102_posts", "20250103_tags"]'),
        rollback_sql = 'drop table tags; drop table posts; alter table users drop column bio'
        where migration_name in ('20250102_posts', '20250103_tags')`,
    );
    const plan = await planRollback(belay, { to: posts.name });
    expect(plan.gates.find(({ name }) => name === "status")).toMatchObject({
      state: "failed",
      evidence: expect.stringContaining(`also reverses ${posts.name}, which is to stay`),
    });
    const both = await planRollback(belay, { to: users.name });
    expect(both.migrations).toMatchObject([
      { migration: tags.name, reversedBy: null },
      { migration: posts.name, reversedBy: tags.name, sql: "" },
    ]);
    expect(both.canRollBack).toBe(true);
  });
});

describe("what a deployment brought", () => {
  it("is found by Belay's id and by the platform's: since the last good one, and not what came later", async () => {
    const { belay, session } = await projectOf([users, posts, tags]);
    const id = randomUUID();
    await session.run(`
      update belay.migration_history set applied_at = '2025-01-01 10:00' where migration_name = '${users.name}';
      update belay.migration_history set applied_at = '2025-01-02 10:00' where migration_name = '${posts.name}';
      update belay.migration_history set applied_at = '2025-01-03 10:00' where migration_name = '${tags.name}';
      insert into belay.deployments (id, platform, external_id, status, target, occurred_at, payload_sha256) values
        (default, 'vercel', 'dpl_1', 'succeeded', 'production', '2025-01-01 12:00', ''),
        ('${id}', 'vercel', 'dpl_2', 'succeeded', 'production', '2025-01-02 12:00', ''),
        (default, 'vercel', 'dpl_3', 'failed', 'production', '2025-01-03 12:00', ''),
        (default, 'vercel', 'dpl_4', 'failed', 'preview', '2024-01-03 12:00', '')`);
    const of = async (deployment: string) =>
      (await planRollback(belay, { deployment })).migrations.map(({ migration }) => migration);
    expect(await of("dpl_2")).toEqual([posts.name]);
    expect(await of(id)).toEqual([posts.name]);
    expect(await of("dpl_3")).toEqual([tags.name]);
    await expect(of("dpl_9")).rejects.toMatchObject({ code: "unknown_deployment" });
    await session.run(
      "update belay.migration_history set status = 'rolled_back' where migration_name = '20250103_tags'",
    );
    await expect(of("dpl_3")).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("brought no migration"),
    });
  });

  it.each([[{}], [{ migration: "a", to: "b" }], [{ migrations: [] }], [{ to: "a", deployment: "b" }]])(
    "one thing is asked for, not %j",
    async (request) => {
      const { belay } = await projectOf([]);
      await expect(planRollback(belay, request)).rejects.toMatchObject({ code: "usage" });
    },
  );
});
