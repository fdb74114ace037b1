import { compareCatalogs } from "../../catalog/differences.ts";
import { catalogDigest } from "../../catalog/entry.ts";
import { readSnapshot, storeSnapshot } from "../../catalog/snapshots.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { listed, plural } from "../../words.ts";
import { readLedger } from "../ledger/ledger.ts";
import { inTransaction } from "../transaction.ts";
import { type Replay, replayMigrations } from "./replay.ts";

/** Whether the state before a migration that was applied alone is really the last known one. */
export interface BeforeReport {
  /** `corrected`: something else had been changed since; the stored state before takes that in. */
  readonly state: "confirmed" | "corrected" | "unknown";
  readonly message: string;
  /** Keys of what was changed past the migrations before it was applied. */
  readonly strangers: readonly string[];
}

/** Beyond so many migrations a replay waits for `--replay`. */
const most = 300;

/**
 * Compares what a migration changed here with what it changes in a replay: whatever else differs between its snapshots
 * was changed by hand before it, and is not its doing.
 */
export async function confirmBefore(
  session: Session,
  belay: Belay,
  migration: string,
  forced: boolean | undefined,
): Promise<BeforeReport> {
  const unknown = (message: string): BeforeReport => ({ state: "unknown", message, strangers: [] });
  const guess = `not compared with a replay, so what was changed by hand since the last snapshot counts as done by ${migration}`;
  if (belay.scratchUrl === null) return unknown(`${guess} (set BELAY_SCRATCH_URL to compare)`);
  if (forced === false) return unknown(`${guess} (no replay was asked for)`);
  const applied = (await readLedger(session)).filter((row) => row.status === "applied");
  if (applied.length > most && forced !== true) return unknown(`${guess} (--replay compares)`);
  let replay: Replay;
  try {
    const files = applied.map((row) => ({ name: row.name, file: row.sourceFile, forwardSql: row.forwardSql ?? "" }));
    replay = await replayMigrations(belay, files);
  } catch (error) {
    if (!isBelayError(error)) throw error;
    return unknown(`${guess} (${error.message})`);
  }
  return await inTransaction(session, "comparing with a replay", () => compare(session, belay, migration, replay));
}

async function compare(session: Session, belay: Belay, migration: string, replay: Replay): Promise<BeforeReport> {
  const [before, after] = [
    await readSnapshot(session, migration, "before"),
    await readSnapshot(session, migration, "after"),
  ];
  const own = replay.states.get(migration);
  if (before === null || after === null || own === undefined)
    return { state: "unknown", message: `${migration} has no snapshots to compare`, strangers: [] };
  const [here, there] = [changesOf(before, after), changesOf(own.before, own.after)];
  const elsewhere = [...there].filter(([key, change]) => here.get(key)?.after?.hash !== change.after?.hash);
  if (elsewhere.length > 0) {
    const message = `${migration} changes ${listed(elsewhere.map(([key]) => key))} in a replay, and not so here`;
    return { state: "unknown", message, strangers: [] };
  }
  const strangers = [...here].filter(
    ([key, change]) => there.get(key)?.before?.hash !== change.before?.hash || !there.has(key),
  );
  if (strangers.length === 0)
    return {
      state: "confirmed",
      message: `a replay shows that ${migration} alone was applied since the last snapshot`,
      strangers: [],
    };
  const facts = { migration, moment: "before", origin: "replayed", actor: belay.actor } as const;
  await storeSnapshot(session, undone(after, there), {
    ...facts,
    description: "with what was changed by hand before it",
  });
  const keys = strangers.map(([key]) => key).sort();
  const message = `${plural(keys.length, "object")} had been changed by hand before ${migration} was applied: they count as there before it`;
  return { state: "corrected", message, strangers: keys };
}

interface Change {
  readonly before: Entry | null;
  readonly after: Entry | null;
}

function changesOf(before: Catalog, after: Catalog): Map<string, Change> {
  const { removed, added, changed } = compareCatalogs(before, after);
  return new Map<string, Change>([
    ...removed.map((entry) => [entry.key, { before: entry, after: null }] as const),
    ...added.map((entry) => [entry.key, { before: null, after: entry }] as const),
    ...changed.map((each) => [each.before.key, each] as const),
  ]);
}

/** A catalog without some changes. */
function undone(after: Catalog, changes: ReadonlyMap<string, Change>): Catalog {
  const kept = after.entries.filter(({ key }) => !changes.has(key));
  const entries = [...kept, ...[...changes.values()].flatMap(({ before }) => before ?? [])];
  return { ...after, entries, digest: catalogDigest(entries) };
}
