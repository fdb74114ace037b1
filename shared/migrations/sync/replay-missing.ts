import { readSnapshotCatalog, storeSnapshot } from "../../catalog/snapshots.ts";
import { startSeries } from "../../catalog/states.ts";
import { fromStored } from "../../catalog/stored-entry.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { findDependencies, type Known } from "../ledger/found-dependencies.ts";
import { insertDependencies, type LedgerRow, readLedger } from "../ledger/ledger.ts";
import { inTransaction } from "../transaction.ts";
import type { StoredSnapshot } from "./baseline.ts";
import { type Replay, replayDifferences, replayMigrations } from "./replay.ts";

/** What came of replaying migrations for their snapshots. */
export interface ReplayReport {
  /** `differs`: the replayed end is not this database, so nothing of it was stored. */
  readonly state: "not_needed" | "no_scratch" | "equal" | "differs" | "failed";
  readonly message: string;
  /** Objects that differ, with how. */
  readonly differences: readonly string[];
}

interface Outcome {
  readonly report: ReplayReport;
  readonly snapshots: readonly StoredSnapshot[];
  /** Dependencies newly found in the catalog. */
  readonly dependencies: number;
}

/** Stores the snapshots that applied migrations lack, from a replay that ended equal to this database; finds dependencies. */
export async function replayMissing(
  session: Session,
  belay: Belay,
  asked: { readonly forced: boolean | undefined; readonly newOnes: number },
): Promise<Outcome> {
  const applied = (await readLedger(session)).filter((row) => row.status !== "rolled_back");
  const known = await readKnown(session, applied);
  const missing = known.filter((one) => one.before === null || one.after === null).map((one) => one.name);
  const wanted = asked.forced ?? asked.newOnes > 0;
  if (missing.length === 0 || !wanted) {
    const message = missing.length === 0 ? "every applied migration has its snapshots" : "no replay was asked for";
    return {
      report: { state: "not_needed", message, differences: [] },
      snapshots: [],
      dependencies: await storeFound(session, known),
    };
  }
  if (belay.scratchUrl === null) {
    const message = `${missing.length} migrations have no snapshots: set BELAY_SCRATCH_URL, then \`belay sync --replay\``;
    return {
      report: { state: "no_scratch", message, differences: [] },
      snapshots: [],
      dependencies: await storeFound(session, known),
    };
  }
  return await replayAndStore(session, belay, applied, known, missing);
}

async function replayAndStore(
  session: Session,
  belay: Belay,
  applied: readonly LedgerRow[],
  known: readonly Known[],
  missing: readonly string[],
): Promise<Outcome> {
  const failed = (message: string): ReplayReport => ({ state: "failed", message, differences: [] });
  const halfApplied = applied.find((row) => row.status === "failed");
  if (halfApplied !== undefined)
    return {
      report: failed(`${halfApplied.name} is half applied: no replay can equal that`),
      snapshots: [],
      dependencies: await storeFound(session, known),
    };
  let replay: Replay;
  try {
    replay = await replayMigrations(
      belay,
      applied.map((row) => ({ name: row.name, file: row.sourceFile, forwardSql: row.forwardSql ?? "" })),
    );
  } catch (error) {
    if (!isBelayError(error)) throw error;
    return { report: failed(error.message), snapshots: [], dependencies: await storeFound(session, known) };
  }
  return await inTransaction(session, "storing snapshots", async () => {
    const live = await readSnapshotCatalog(session);
    const differences = replayDifferences(live, replay.end);
    if (differences.length > 0) {
      const message = `the replay ends in ${differences.length} objects that differ from this database, so its snapshots were not stored`;
      return {
        report: { state: "differs", message, differences },
        snapshots: [],
        dependencies: await storeFound(session, known),
      };
    }
    const snapshots = await storeStates(session, belay, applied, replay, missing, live);
    const states = applied.map((row) => ({ name: row.name, ...replay.states.get(row.name)! }));
    const message = `${missing.length} migrations have snapshots from a replay that ended equal to this database`;
    return {
      report: { state: "equal", message, differences: [] },
      snapshots,
      dependencies: await storeFound(session, states),
    };
  });
}

// The live state is stored last: the newest snapshot is the state that the next migration starts from.
async function storeStates(
  session: Session,
  belay: Belay,
  applied: readonly LedgerRow[],
  replay: Replay,
  missing: readonly string[],
  live: Catalog,
): Promise<StoredSnapshot[]> {
  const stored: StoredSnapshot[] = [];
  const series = startSeries();
  const store = async (name: string, moment: "before" | "after", origin: "live" | "replayed", catalog: Catalog) => {
    await storeSnapshot(session, catalog, { migration: name, moment, origin, actor: belay.actor }, series);
    stored.push({ migration: name, moment, origin });
  };
  for (const row of applied) {
    const state = replay.states.get(row.name)!;
    if (missing.includes(row.name)) await store(row.name, "before", "replayed", state.before);
    if (row === applied.at(-1)) await store(row.name, "after", "live", live);
    else if (missing.includes(row.name)) await store(row.name, "after", "replayed", state.after);
  }
  return stored;
}

/** The snapshots of migrations, reduced to the entries in which before and after differ. */
async function readKnown(session: Session, applied: readonly LedgerRow[]): Promise<Known[]> {
  const newest = await session.sql<{ name: string; moment: "before" | "after" }[]>`
    select distinct migration_name as name, moment from belay.snapshots
    where moment in ('before', 'after') and origin in ('live', 'replayed') and migration_name is not null`;
  const rows = await session.sql<{ name: string; moment: "before" | "after"; entry: string }[]>`
    select c.migration_name as name, case when e.id = c.before_entry then 'before' else 'after' end as moment, e.entry::text as entry
    from belay.migration_changes c join belay.snapshot_entries e on e.id in (c.before_entry, c.after_entry)`;
  const own = Map.groupBy(rows, (row) => `${row.name} ${row.moment}`);
  const there = new Set(newest.map((row) => `${row.name} ${row.moment}`));
  const entriesOf = (name: string, moment: "before" | "after") => {
    if (!there.has(`${name} ${moment}`)) return null;
    const entries = own.get(`${name} ${moment}`) ?? [];
    return { entries: entries.map((row) => fromStored(JSON.parse(row.entry))) };
  };
  return applied.map(({ name }) => ({ name, before: entriesOf(name, "before"), after: entriesOf(name, "after") }));
}

async function storeFound(session: Session, known: readonly Known[]): Promise<number> {
  const found = findDependencies(known);
  const [before] = await session.sql`select count(*)::int as n from belay.migration_dependencies`;
  await insertDependencies(session, found);
  const [after] = await session.sql`select count(*)::int as n from belay.migration_dependencies`;
  return after!.n - before!.n;
}
