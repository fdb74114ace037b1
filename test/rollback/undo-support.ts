import { expect } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type DatabaseOptions } from "../support/postgres.ts";
import { apply, type Pair, photograph, run } from "./helpers.ts";

export interface Change {
  readonly title: string;
  /** What was there before the migration. */
  readonly base?: string;
  readonly up: string;
  readonly down: string;
  /** Between the rollback and the undo. */
  readonly meanwhile?: string;
  /** Only this way can put it back; the other is tried and given up. */
  readonly only?: Way;
  /** Tables whose rows changed meanwhile, and stay so. */
  readonly newer?: readonly string[];
}

export type Way = "forward" | "entries" | "entries in path";

const wayNotes: Record<Way, string> = {
  forward: "schema put back by the migration's forward SQL",
  entries: "schema put back from the stored entries",
  "entries in path": "schema put back from the stored entries, under the database's own search_path",
};

/** What catalog entries do not say: whether materialised views hold rows, and which. */
async function views(url: string): Promise<Record<string, unknown>> {
  const rows = await run(
    url,
    `select c.oid::regclass::text as name, c.relispopulated as filled,
            case when c.relispopulated then (query_to_xml('select count(*), min(m::text), max(m::text) from ' || c.oid::regclass || ' m', false, false, ''))::text end as rows
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'm' order by 1`,
  );
  return Object.fromEntries(rows.map((row) => [row.name, [row.filled, row.rows]]));
}

export async function wholeState(url: string) {
  return { ...(await photograph(url)), views: await views(url) };
}

const name = "20250102000000_change";

/** Applies, rolls back and undoes a migration by one way, and expects the same catalog, rows and sequences as before. */
export function thereAndBack(change: Change, way: Way, options: DatabaseOptions = {}): Promise<void> {
  return inDatabase(change, options, (url) => oneWay(url, change, way));
}

/** The same by its forward SQL and then, rolled back again, from the stored entries. */
export async function thereAndBackTwice(change: Change, options: DatabaseOptions = {}): Promise<void> {
  if (change.meanwhile === undefined)
    return inDatabase(change, options, async (url) => {
      await oneWay(url, change, "forward");
      await oneWay(url, change, "entries");
    });
  await thereAndBack(change, "forward", options);
  await thereAndBack(change, "entries", options);
}

async function inDatabase(change: Change, options: DatabaseOptions, work: (url: string) => Promise<void>) {
  const database = await createDatabase({ installed: true, ...options });
  try {
    const base = { name: "20250101000000_base", up: change.base ?? "select 1;", down: "" };
    const pair: Pair = { name, up: change.up, down: change.down };
    await apply(database.url, base, pair);
    await work(database.url);
  } finally {
    await database.drop();
  }
}

async function oneWay(url: string, change: Change, way: Way): Promise<void> {
  if (way === "entries") await run(url, "update belay.migration_revisions set forward_sql = ''");
  const before = await wholeState(url);
  const belay = testBelay({ database: url });
  const { rollbackId } = await executeRollback(belay, { migration: name, reason: "test" });
  const rolledBack = await wholeState(url);
  expect(rolledBack).not.toEqual(before);
  if (change.meanwhile !== undefined) await run(url, change.meanwhile);
  if (change.only === "forward" && way === "entries") {
    await expect(undoRollback(belay, { rollbackId, reason: "test" })).rejects.toMatchObject({ code: "undo_conflict" });
    expect(await wholeState(url)).toEqual(rolledBack);
    return;
  }
  const undone = await undoRollback(belay, { rollbackId, reason: "test" });
  expect(undone.notes[0]).toBe(wayNotes[change.only ?? way]);
  const after = await wholeState(url);
  for (const table of change.newer ?? []) delete (before.tables as Record<string, string>)[table];
  expect(after.tables).toMatchObject(before.tables);
  expect(Object.keys(after.tables)).toHaveLength(Object.keys(before.tables).length + (change.newer?.length ?? 0));
  expect(after.sequences).toEqual(before.sequences);
  expect(after.views).toEqual(before.views);
  if (undone.notes.some((note) => note.endsWith("columns in another order"))) return;
  if (change.meanwhile === undefined) expect(after.entries).toEqual(before.entries);
  else expect(after.entries).toMatchObject(before.entries);
}
