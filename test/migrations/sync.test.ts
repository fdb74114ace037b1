import { afterEach, describe, expect, it } from "vitest";
import { verifyAudit } from "../../shared/audit.ts";
import { compareCatalogs } from "../../shared/catalog/differences.ts";
import { readSnapshot, readSnapshotCatalog } from "../../shared/catalog/snapshots.ts";
import { registerMigration } from "../../shared/migrations/ledger/register.ts";
import { listMigrations } from "../../shared/migrations/ledger/status.ts";
import { syncMigrations } from "../../shared/migrations/sync/sync.ts";
import { createWorld, section, type World } from "./support.ts";

const files = {
  "1_a.sql": `create table a (id int primary key);${section("drop table a;")}`,
  "2_b.sql": `create table b (id int primary key, a int references a);${section("drop table b;")}`,
  "3_c.sql": `-- Depends on: 1_a.sql\ncreate view c as select id from b;${section("drop view c;")}`,
  "4_d.sql": "alter table b add column note text;",
};

let world: World;
afterEach(() => world.end());

describe("sync", () => {
  it("without a tracking table asks what is applied, and registers up to there", async () => {
    world = await createWorld(files);
    const folder = await world.folder();
    await expect(syncMigrations(world.belay, folder)).rejects.toMatchObject({
      code: "usage",
      hint: expect.stringContaining("--applied-to"),
    });
    await world.apply("1_a.sql", "2_b.sql");
    const report = await syncMigrations(world.belay, folder, { appliedTo: "2" });
    expect(report.registered.map((row) => row.migration)).toEqual(["1_a", "2_b"]);
    expect(report.pending).toEqual(["3_c", "4_d"]);
    expect(report.replay.state).toBe("no_scratch");
    await expect(syncMigrations(world.belay, folder, { appliedTo: "77" })).rejects.toMatchObject({
      code: "unknown_migration",
    });
    expect(await syncMigrations(world.belay, folder)).toMatchObject({
      registered: [],
      skipped: ["1_a", "2_b"],
      pending: ["3_c", "4_d"],
      changed: [],
    });
    expect(await verifyAudit(world.session)).toMatchObject({ ok: true, rows: 2 });
  });

  it("takes before and after of one migration at a time from the live catalog, the first from the state at install", async () => {
    world = await createWorld(files);
    const folder = await world.folder();
    for (const [file, name] of [
      ["1_a.sql", "1_a"],
      ["2_b.sql", "2_b"],
    ] as const) {
      await world.apply(file);
      await syncMigrations(world.belay, folder, { appliedTo: name });
    }
    const [before, after] = [
      await readSnapshot(world.session, "1_a", "before"),
      await readSnapshot(world.session, "1_a", "after"),
    ];
    expect(compareCatalogs(before!, after!).added.map((entry) => entry.key)).toEqual([
      "TABLE public a",
      "CONSTRAINT public a a_pkey",
    ]);
    expect((await readSnapshot(world.session, "2_b", "before"))!.digest).toBe(after!.digest);
    const live = await readSnapshotCatalog(world.session);
    const stored = (await readSnapshot(world.session, "2_b", "after"))!;
    expect(stored.digest).toBe(live.digest);
    expect(stored.entries.map(({ address: _, ...entry }) => entry)).toEqual(
      live.entries.map(({ address: _, ...entry }) => entry),
    );
  });

  it("replays several new ones on a scratch database, and finds dependencies from the catalog", async () => {
    world = await createWorld(files, { scratch: true });
    const folder = await world.folder();
    await world.apply("1_a.sql", "2_b.sql", "3_c.sql", "4_d.sql");
    const report = await syncMigrations(world.belay, folder, { appliedTo: "latest" });
    expect(report.replay).toMatchObject({ state: "equal", differences: [] });
    const rows = await listMigrations(world.belay, folder);
    expect(
      rows.map((row) => [
        row.migration,
        row.canRollBack,
        row.hasRollback,
        row.dependents,
        row.snapshots.before && row.snapshots.after,
      ]),
    ).toEqual([
      ["4_d", false, false, [], true],
      ["3_c", true, true, [], true],
      ["2_b", false, true, ["4_d", "3_c"], true],
      ["1_a", false, true, ["3_c", "2_b"], true],
    ]);
    const whys = await world.session
      .sql`select migration_name as m, depends_on as d, found, why from belay.migration_dependencies order by 1, 2`;
    expect(whys.map((row) => `${row.m} > ${row.d} ${row.found}: ${row.why}`)).toEqual([
      "2_b > 1_a catalog: foreign key b_a_fkey on public.b needs constraint a_pkey on public.a, which 1_a created",
      "3_c > 1_a declared: declared in 3_c.sql:1",
      "3_c > 2_b catalog: view public.c needs table public.b, which 2_b created",
      "4_d > 2_b catalog: it changes table public.b, which 2_b created",
    ]);
    const leftovers = await world.session
      .sql`select datname from pg_database where datname like 'belay_scratch_%' and shobj_description(oid, 'pg_database') like '%replay%'`;
    expect(leftovers).toHaveLength(0);
  });

  it("stores nothing of a replay that ends elsewhere, and names the objects", async () => {
    world = await createWorld(files, { scratch: true });
    await world.apply("1_a.sql", "2_b.sql");
    await world.session.run("create index by_hand on b (a)");
    const report = await syncMigrations(world.belay, await world.folder(), { appliedTo: "2" });
    expect(report.replay).toMatchObject({
      state: "differs",
      differences: ["INDEX public by_hand: only in this database"],
    });
    expect(await readSnapshot(world.session, "1_a", "after")).toBeNull();
    expect(await readSnapshot(world.session, "2_b", "after")).not.toBeNull();
    expect(await readSnapshot(world.session, "2_b", "before")).toBeNull();
  });

  it("says so when a migration cannot be replayed", async () => {
    world = await createWorld(
      { ...files, "2_b.sql": "create table b (id int primary key, x elsewhere.t);" },
      { scratch: true, sql: "create schema elsewhere; create type elsewhere.t as enum ('a')" },
    );
    await world.apply("1_a.sql", "2_b.sql");
    const report = await syncMigrations(world.belay, await world.folder(), { appliedTo: "2" });
    expect(report.replay).toMatchObject({
      state: "failed",
      message: expect.stringContaining("2_b could not be applied"),
    });
    expect(report.registered).toHaveLength(2);
  });

  it("leaves out files with errors, and names them with line", async () => {
    world = await createWorld({ ...files, "2_b.sql": "create table b ();\n-- ROLLBACK START\n-- drop table b;" });
    const report = await syncMigrations(world.belay, await world.folder(), { appliedTo: "2" });
    expect(report).toMatchObject({ blocked: ["2_b"], registered: [{ migration: "1_a" }] });
    expect(report.problems[0]).toMatchObject({ code: "unterminated_section", place: { line: 2 } });
  });
});

describe("registering again", () => {
  it("never replaces rollback SQL silently: the change is shown, and kept only when accepted, with who and when", async () => {
    world = await createWorld(files);
    await world.apply("1_a.sql");
    const first = await registerMigration(world.belay, await world.folder(), "1_a");
    expect(first).toMatchObject({ outcome: "registered", hasRollback: true });
    expect(await registerMigration(world.belay, await world.folder(), "1_a.sql")).toMatchObject({
      outcome: "unchanged",
    });

    const changed = await world.folder({
      "1_a.sql": `create table a (id int primary key);${section("drop table if exists a;")}`,
    });
    const shown = { parts: ["rollback"], oldRollbackSql: "drop table a;", newRollbackSql: "drop table if exists a;" };
    expect((await syncMigrations(world.belay, changed, { appliedTo: "1" })).changed).toMatchObject([
      { ...shown, accepted: false },
    ]);
    expect(await registerMigration(world.belay, changed, "1")).toMatchObject({
      outcome: "changed",
      change: { ...shown, accepted: false, revision: 1 },
    });
    expect((await listMigrations(world.belay, changed)).find((row) => row.migration === "1_a")!.drift).toEqual([
      "rollback",
    ]);
    const [kept] = await world.session.sql`select rollback_sql from belay.migration_history`;
    expect(kept!.rollback_sql).toBe("drop table a;");

    expect(await registerMigration(world.belay, changed, "1", { acceptRevision: true })).toMatchObject({
      outcome: "revised",
      change: { accepted: true, revision: 2 },
    });
    const revisions = await world.session
      .sql`select revision, rollback_sql, created_by from belay.migration_revisions order by 1`;
    expect(revisions).toMatchObject([
      { revision: 1, rollback_sql: "drop table a;", created_by: "tester" },
      { revision: 2, rollback_sql: "drop table if exists a;", created_by: "tester" },
    ]);
    expect(await world.session.sql`select action, actor from belay.audit_log order by id`).toMatchObject([
      { action: "register" },
      { action: "revise", actor: "tester" },
    ]);
  });

  it("refuses an unknown migration and one whose file has an error", async () => {
    world = await createWorld({ ...files, "5_e.sql": "-- Depends on: 9_gone.sql\nselect 1;" });
    const folder = await world.folder();
    await expect(registerMigration(world.belay, folder, "nope")).rejects.toMatchObject({ code: "unknown_migration" });
    await expect(registerMigration(world.belay, folder, "5_e")).rejects.toMatchObject({
      code: "layout_invalid",
      message: expect.stringContaining("5_e.sql:1"),
    });
  });
});

describe("other line endings", () => {
  it("of a checkout on another system are no change", async () => {
    const text = "create table a ();\n-- ROLLBACK START\n-- drop table a;\n-- select 1;\n-- ROLLBACK END\n";
    const pair = { "1_a.up.sql": "create table a ();\n", "1_a.down.sql": "drop table a;\nselect 1;\n" };
    for (const files of [{ "1_a.sql": text }, pair]) {
      world = await createWorld(files);
      await syncMigrations(world.belay, await world.folder(), { appliedTo: "latest" });
      const windows = Object.entries(files).map(([name, unix]) => [name, unix.replaceAll("\n", "\r\n")]);
      const report = await syncMigrations(world.belay, await world.folder(Object.fromEntries(windows)));
      expect([report.changed, report.skipped]).toEqual([[], ["1_a"]]);
      if (files !== pair) await world.end();
    }
  });
});

describe("list", () => {
  it("says of SQL that does not parse, or cannot run, that it cannot be rolled back", async () => {
    world = await createWorld({
      "1_a.sql": `select 1;${section("\nDROP TABLE IF NOT EXISTS a;")}`,
      "2_b.sql": `select 1;${section("vacuum;")}`,
      "3_c.sql": `select 1;${section("-- todo")}`,
    });
    const folder = await world.folder();
    await syncMigrations(world.belay, folder, { appliedTo: "latest" });
    const reasons = (await listMigrations(world.belay, folder)).map((row) => [
      row.canRollBack,
      row.blockingReason!.replace(/^.*\//, ""),
    ]);
    expect(reasons).toEqual([
      [false, "no rollback SQL"],
      [false, "2_b.sql:3: VACUUM cannot run in a transaction"],
      [false, '1_a.sql:4:15: syntax error at or near "NOT"'],
    ]);
  });
});
