import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  copySnapshot,
  readSnapshot,
  readSnapshotById,
  readSnapshotCatalog,
  storeSnapshot,
} from "../../shared/catalog/snapshots.ts";
import { startSeries } from "../../shared/catalog/states.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import { installBelay } from "../../shared/install.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let session: Session;

beforeAll(async () => {
  database = await createDatabase({ sql: "create table old (id int); comment on column old.id is 'a'" });
  session = await openSession(database.url);
  await installBelay(session);
});

afterAll(async () => {
  await session.close();
  await database.drop();
});

/** Applies SQL as a migration of the ledger and stores its snapshots, as sync does. */
async function migrate(name: string, sql: string): Promise<void> {
  await session.sql`
    insert into belay.migration_history (migration_name, migration_version, checksum) values (${name}, ${name}, repeat('0', 64))`;
  await storeSnapshot(session, await readSnapshotCatalog(session), {
    migration: name,
    moment: "before",
    origin: "live",
  });
  await session.run(sql);
  await storeSnapshot(session, await readSnapshotCatalog(session), {
    migration: name,
    moment: "after",
    origin: "live",
  });
}

const count = async (table: string) =>
  (await session.sql`select count(*)::int as n from ${session.sql(table)}`)[0]!.n as number;
const plain = ({ entries }: Catalog) =>
  entries
    .map(({ address, ...entry }) => ({ ...entry, column: address.objsubid }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
const changes = async (name: string) =>
  (
    await session.sql`
      select key, before_hash is not null as before, after_hash is not null as after
        from belay.migration_changes where migration_name = ${name} order by key collate "C"`
  ).map((row) => `${row.key}: ${row.before ? (row.after ? "changed" : "removed") : "added"}`);

describe("a snapshot", () => {
  it("gives back every entry in the order in which the reader had them, whatever it was stored as", async () => {
    await migrate(
      "1_a",
      "create table a (id int primary key, note text); comment on column a.note is 'n'; comment on column a.id is 'i'; grant select (note) on a to public; grant select on a to public",
    );
    const live = await readSnapshotCatalog(session);
    const stored = await readSnapshot(session, "1_a", "after");
    expect(stored!.digest).toBe(live.digest);
    expect(stored!.entries.map((entry) => entry.key)).toEqual(live.entries.map((entry) => entry.key));
    expect(plain(stored!)).toEqual(plain(live));
  });

  it("shares the state with an equal one, and stores no more than what changed", async () => {
    const before = { states: await count("belay.snapshot_states"), entries: await count("belay.snapshot_entries") };
    await migrate("2_b", "create index on a (note)");
    expect(await count("belay.snapshot_states")).toBe(before.states + 1);
    expect(await count("belay.snapshot_entries")).toBe(before.entries + 1);
    const [last] =
      await session.sql`select cardinality(added) as added, cardinality(removed) as removed, entries from belay.snapshot_states order by id desc limit 1`;
    expect(last).toEqual({ added: 1, removed: 0, entries: null });
  });

  it("finds an older state again: a rolled back and reapplied migration costs nothing", async () => {
    const before = await count("belay.snapshot_states");
    await session.run("drop index a_note_idx");
    const id = await storeSnapshot(session, await readSnapshotCatalog(session), {
      migration: null,
      moment: "manual",
      origin: "live",
    });
    expect(await count("belay.snapshot_states")).toBe(before);
    expect((await readSnapshotById(session, id)).digest).toBe((await readSnapshot(session, "1_a", "after"))!.digest);
    await session.run("create index on a (note)");
  });

  it("is read back right through long chains of differences, whole lists and removals", async () => {
    const series = startSeries();
    const stored: { id: string; live: Catalog }[] = [];
    for (let at = 0; at < 12; at++) {
      await session.run(
        at % 3 === 2
          ? `drop table many${at - 2}`
          : `create table many${at} (id int); create view v${at} as select ${at} as n`,
      );
      if (at === 6)
        await session.run(Array.from({ length: 150 }, (_, n) => `create table wide${n} (id int)`).join(";"));
      const live = await readSnapshotCatalog(session);
      stored.push({
        id: await storeSnapshot(session, live, { migration: null, moment: "manual", origin: "live" }, series),
        live,
      });
    }
    for (const { id, live } of stored) expect(plain(await readSnapshotById(session, id))).toEqual(plain(live));
    const [kinds] =
      await session.sql`select count(*) filter (where entries is not null)::int as whole, count(*)::int as states from belay.snapshot_states`;
    expect(kinds!.whole).toBeGreaterThan(1);
    expect(kinds!.whole).toBeLessThan(kinds!.states);
  });
});

describe("what a migration changed", () => {
  it("is written down by key, from its newest snapshots", async () => {
    await migrate("3_c", "alter table a add column more int; drop table old; create table fresh (id int)");
    expect(await changes("3_c")).toEqual([
      "COMMENT public COLUMN old.id: removed",
      "TABLE public a: changed",
      "TABLE public fresh: added",
      "TABLE public old: removed",
    ]);
    expect(await changes("2_b")).toEqual(["INDEX public a_note_idx: added"]);
  });

  it("is written down anew when a snapshot is replaced, also by a copy of a state that is far away", async () => {
    const [first] =
      await session.sql`select id from belay.snapshots where migration_name = '1_a' and moment = 'before'`;
    await copySnapshot(session, first!.id, { migration: "3_c", moment: "before", origin: "live" });
    const all = await changes("3_c");
    expect(all).toContain("TABLE public many1: added");
    expect(all).toContain("TABLE public a: added");
    await session.sql`delete from belay.snapshots where migration_name = '3_c'`;
    await session.sql`select belay.record_changes('3_c')`;
    expect(await changes("3_c")).toEqual([]);
  });
});
