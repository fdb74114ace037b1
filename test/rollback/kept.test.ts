import { describe, expect, onTestFinished, test } from "vitest";
import { listArchives } from "../../shared/archive/list.ts";
import { openArchive } from "../../shared/archive/read/open.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Belay } from "../../shared/context.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { listKept } from "../../shared/rollback/preserve/list.ts";
import { purgeKept } from "../../shared/rollback/preserve/purge.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { follow } from "../archive/follow-readme.ts";
import { temporaryFolder, testBelay } from "../support/belay.ts";
import { createDebianDatabase, describeWithDebian } from "../support/debian.ts";
import { createDatabase } from "../support/postgres.ts";
import { apply, run, withDatabase } from "./helpers.ts";
import { wholeState } from "./undo-support.ts";

const name = "20250102000000_orders";
const up = `create type mood as enum ('a', 'b');
  create table orders (id serial primary key, m mood default 'a', p int references people, up int references orders);
  create index on orders (m); comment on table orders is 'o'; grant select on orders to public;
  create table parts (k int, v text, primary key (k)) partition by range (k);
  create table parts_1 partition of parts for values from (0) to (100); create table parts_2 partition of parts default;
  insert into people values (1), (2); insert into orders (m, p) select 'b', 1 + n % 2 from generate_series(1, 50) n;
  insert into parts select n, 'v' || n from generate_series(1, 200) n;
  create view v as select * from orders;`;
const down = "drop view v; drop table orders, parts; drop type mood;";

/** Rolled back with what goes moved away, and what was there before. */
async function quarantined(creating = createDatabase()) {
  const database = await creating;
  onTestFinished(() => database.drop());
  const { url } = database;
  await apply(
    url,
    { name: "20250101000000_base", up: "create table people (id int primary key)", down: "" },
    { name, up, down },
  );
  const before = await wholeState(url);
  const belay = testBelay({ database: url });
  const { rollbackId, preserved, archiveId } = await executeRollback(belay, {
    migration: name,
    preserve: "quarantine",
    reason: "test",
  });
  return { url, belay, before, rollbackId, preserved, archiveId };
}

async function readText(store: ObjectStore, key: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of store.read(key)) parts.push(part);
  return Buffer.concat(parts).toString();
}

const elsewhere = (belay: Belay): Belay => ({ ...belay, store: createFolderStore(temporaryFolder()) });

const schemasLeft = (url: string) => run(url, "select nspname from pg_namespace where nspname like 'belay\\_kept%'");

describe("what a rollback keeps in the database", () => {
  test("is listed with sizes, dates and whether it can be undone; what somebody dropped there is a conflict, named", async () => {
    const { url, belay, rollbackId } = await quarantined();
    await run(url, "create schema belay_kept_stranger");
    const { kept, unknown } = await listKept(belay);
    expect(unknown).toEqual(["belay_kept_stranger"]);
    expect(kept).toMatchObject([
      { rollbackId, migration: name, mode: "quarantine", due: false, undoable: true, problem: null },
    ]);
    const tables = kept[0]!.kept.filter(({ kind }) => kind === "table").map((each) => `${each.schema}.${each.name}`);
    expect(tables.sort()).toEqual(["public.orders", "public.parts", "public.parts_1", "public.parts_2"]);
    expect(new Date(kept[0]!.until).getTime() - new Date(kept[0]!.since).getTime()).toBeGreaterThan(
      29.9 * 24 * 3600_000,
    );
    const [comment] = await run(url, "select obj_description('belay_kept_20250102000000_1'::regnamespace) as text");
    expect(comment!.text).toContain(rollbackId);
    await run(url, "drop table belay_kept_20250102000000_1.parts_2");
    const problem = "no longer there: table public.parts_2";
    expect((await listKept(belay)).kept).toMatchObject([{ undoable: false, problem }]);
    await expect(undoRollback(belay, { rollbackId, reason: "test" })).rejects.toMatchObject({
      code: "undo_conflict",
      message: expect.stringContaining("public.parts_2"),
    });
    await expect(purgeKept(belay, { rollbacks: [rollbackId] })).rejects.toMatchObject({ code: "undo_conflict" });
  });

  test("is in a whole dump, and named when that is restored; it is no part of the team's catalog", async () => {
    const { url, belay } = await quarantined();
    const { id, entries } = await dumpDatabase(belay, { reason: "test" });
    expect(entries.map(({ key }) => key)).toContain("TABLE belay_kept_20250102000000_1 orders");
    const copy = await createDatabase();
    onTestFinished(() => copy.drop());
    const archive = await openArchive(`${belay.store.url}/archives/${id}`);
    const { warnings } = await restoreArchive({ archive, url: copy.url, intoNonEmpty: true });
    expect(warnings.join()).toContain("schema belay_kept_20250102000000_1 holds what rollbacks kept");
    expect(await run(copy.url, "select count(*)::int as n from belay_kept_20250102000000_1.orders")).toEqual([
      { n: 50 },
    ]);
    const keys = await withDatabase(url, async (session) => (await readCatalog(session)).entries.map(({ key }) => key));
    expect(keys.filter((key) => key.includes("belay_kept"))).toEqual([]);
  });

  test("that is purged while its undo begins is named by the undo, which changes nothing and then takes it from the archive", async () => {
    const { url, belay, before, rollbackId } = await quarantined();
    const purgeFirst = async (stage: string) => {
      if (stage === "ready") await purgeKept(belay, { rollbacks: [rollbackId] });
    };
    await expect(undoRollback(belay, { rollbackId, reason: "test" }, purgeFirst)).rejects.toMatchObject({
      code: "plan_changed",
      message: expect.stringMatching(/table public\.orders, .* were purged.* while the undo began/),
      hint: expect.stringContaining("Plan the undo again"),
    });
    expect(await run(url, "select to_regclass('orders') as orders, to_regclass('parts') as parts")).toEqual([
      { orders: null, parts: null },
    ]);
    await expect(undoRollback(elsewhere(belay), { rollbackId, reason: "test" })).rejects.toMatchObject({
      code: "unknown_archive",
      message: expect.stringContaining(`: the record has it in ${belay.store.url}`),
    });
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });

  test("is purged when it is due, into an archive from which one table and then all is undone, but not over newer rows", async () => {
    const { url, belay, before, rollbackId } = await quarantined();
    expect(await purgeKept(belay)).toEqual([]);
    const later = { ...belay, now: () => new Date(Date.now() + 31 * 24 * 3600_000) };
    expect(await purgeKept(later, { dryRun: true })).toMatchObject([{ rollbackId, archiveId: null }]);
    const [purged] = await purgeKept(later);
    expect(purged).toMatchObject({ rollbackId, migration: name, rows: 250 });
    expect(await schemasLeft(url)).toEqual([]);
    expect(
      await run(url, `select purpose, rows::int as rows from belay.archives where id = '${purged!.archiveId}'`),
    ).toEqual([{ purpose: "quarantine", rows: 250 }]);
    expect(await run(url, "select subject from belay.audit_log where action = 'quarantine.purged'")).toEqual([
      { subject: name },
    ]);
    await undoRollback(belay, { rollbackId, reason: "test", only: ["orders"] });
    await run(url, "insert into orders (p) values (2)");
    await expect(undoRollback(belay, { rollbackId, reason: "test" })).rejects.toThrow(
      "public.orders is there again, with other rows than were archived",
    );
    expect(await run(url, "select count(*)::int as n from orders")).toEqual([{ n: 51 }]);
    await run(url, "delete from orders where id = 51; select setval('orders_id_seq', 50)");
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });

  test("a purge that is killed before its COMMIT changes nothing, and the next one takes its archive", async () => {
    const { url, belay, before, rollbackId } = await quarantined();
    const store: ObjectStore = {
      ...belay.store,
      write: async (key, chunks, options) => {
        const bytes = await belay.store.write(key, chunks, options);
        if (key.endsWith("manifest.json"))
          await run(
            url,
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'belay quarantine' and datname = current_database()",
          );
        return bytes;
      },
    };
    await expect(purgeKept({ ...belay, store }, { rollbacks: [rollbackId] })).rejects.toThrow();
    expect(await schemasLeft(url)).toHaveLength(1);
    const [purged] = await purgeKept(belay, { rollbacks: [rollbackId] });
    const archives = (await listArchives(belay.store)).filter(({ purpose }) => purpose === "quarantine");
    expect(archives.map(({ id }) => id)).toEqual([purged!.archiveId]);
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });

  test("a newer table of the same name is a conflict; a foreign key whose rows changed stays NOT VALID, and the report says how to finish", async () => {
    const { url, belay, rollbackId } = await quarantined();
    await run(url, "create table orders (x int)");
    await expect(undoRollback(belay, { rollbackId, reason: "test" })).rejects.toMatchObject({
      code: expect.stringMatching(/undo_conflict|gate_failed/),
    });
    expect(await schemasLeft(url)).toHaveLength(1);
    await run(url, "drop table orders");
    await run(url, "delete from people where id = 2");
    const report = await undoRollback(belay, { rollbackId, reason: "test" });
    expect(report.notes.join("\n")).toMatch(
      /orders_p_fkey of public\.orders stays NOT VALID.*ALTER TABLE public\.orders VALIDATE CONSTRAINT orders_p_fkey;/,
    );
    expect(await run(url, "select conname from pg_constraint where not convalidated")).toEqual([
      { conname: "orders_p_fkey" },
    ]);
  });
});

describe("--preserve copy keeps what is lost in the database too", () => {
  test("tables as tables, columns by their key; undo removes it, a purge does once the archive verifies", async () => {
    const database = await createDatabase();
    onTestFinished(() => database.drop());
    const { url } = database;
    const base = `create schema other; create table people (id int primary key, name text); create table other.people_lost (x int);
      insert into people select n, 'p' || n from generate_series(1, 9) n;`;
    const forward = `create type mood as enum ('a', 'b'); create unlogged table other.orders (id serial primary key, m mood, all_m mood[], twice int generated always as (id * 2) stored, o other.people_lost);
      insert into other.orders (m, all_m) select 'b', '{a,b}' from generate_series(1, 20);
      alter table people add column mood mood, add column note jsonb; update people set mood = 'a', note = '{"n": 1}' where id < 5;
      create table "People" (id int); insert into "People" values (7);`;
    const back = `drop table other.orders; drop table "People"; alter table people drop column mood, drop column note; drop type mood;`;
    await apply(url, { name: "20250101000000_base", up: base, down: "" }, { name, up: forward, down: back });
    const before = await wholeState(url);
    const belay = testBelay({ database: url });
    const request = { migration: name, preserve: "copy", reason: "test" } as const;
    const { rollbackId, preserved } = await executeRollback(belay, request);
    expect(
      preserved!.kept.map(({ schema, name: table, keptIn, as }) => `${schema}.${table} ${keptIn}.${as}`).sort(),
    ).toEqual([
      "other.orders belay_kept_20250102000000_1.orders",
      "public.People belay_kept_20250102000000_1_s2.People",
      "public.people belay_kept_20250102000000_1_s2.people_lost",
    ]);
    expect(
      await run(
        url,
        "select count(*)::int as rows, min(m) as m, min(all_m) as all, max(twice) as twice from belay_kept_20250102000000_1.orders",
      ),
    ).toEqual([{ rows: 20, m: "b", all: "{a,b}", twice: 40 }]);
    expect(await run(url, "select * from belay_kept_20250102000000_1_s2.people_lost order by id limit 1")).toEqual([
      { id: 1, lost: { mood: "a", note: { n: 1 } } },
    ]);
    expect(
      await run(
        url,
        "select relpersistence::text as kind from pg_class where relnamespace = 'belay_kept_20250102000000_1'::regnamespace",
      ),
    ).toContainEqual({ kind: "p" });
    const [listed] = (await listKept(belay)).kept;
    expect(listed).toMatchObject({ mode: "copy", undoable: true });
    expect(
      listed!.kept.flatMap(({ kind, name, rows }) => (kind === "sequence" ? [] : [`${kind} ${name} ${rows}`])).sort(),
    ).toEqual(["columns people 4", "table People 1", "table orders 20"]);
    await expect(undoRollback(elsewhere(belay), { rollbackId, reason: "test" })).rejects.toMatchObject({
      message: expect.stringContaining(`: the record has it in ${belay.store.url}`),
      hint: expect.stringContaining(`--store ${belay.store.url}`),
    });
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
    expect(await schemasLeft(url)).toEqual([]);

    const second = await executeRollback(belay, request);
    const [purged] = await purgeKept(belay, { rollbacks: [name] });
    expect(purged).toMatchObject({ mode: "copy", archiveId: second.archiveId });
    expect(await schemasLeft(url)).toEqual([]);
    await undoRollback(belay, { rollbackId: second.rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });
});

describe("an undo of some tables", () => {
  test("moves back those alone, and the rest stays kept until it is undone", async () => {
    const { url, belay, before, rollbackId } = await quarantined();
    await undoRollback(belay, { rollbackId, only: ["parts"], reason: "test" });
    expect(await run(url, "select count(*)::int as n from parts")).toEqual([{ n: 200 }]);
    expect(await run(url, "select to_regclass('orders') as orders")).toEqual([{ orders: null }]);
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
    expect(await schemasLeft(url)).toEqual([]);
  });
});

describeWithDebian("an operator with psql and pg_restore follows the README of a quarantine", () => {
  test("the tables come back with their rows, and an undo afterwards only records it", async () => {
    const { url, belay, before, rollbackId, archiveId } = await quarantined(createDebianDatabase());
    const readme = await readText(belay.store, `archives/${archiveId}/README.txt`);
    expect(readme).toMatch(
      /NOT in this archive are the rows of public\.orders, public\.parts.*schema belay_kept_20250102000000_1 of the database itself/s,
    );
    await follow(belay.store.url, archiveId!, url);
    expect(await wholeState(url)).toEqual(before);
    expect(await schemasLeft(url)).toEqual([]);
    await undoRollback(belay, { rollbackId, reason: "test" });
    expect(await wholeState(url)).toEqual(before);
  });
});
