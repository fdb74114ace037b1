import { compareCatalogs } from "../../catalog/differences.ts";
import { qualified } from "../../catalog/identifiers.ts";
import { readSnapshot, readSnapshotCatalog } from "../../catalog/snapshots.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { isTracked, readTracking, sameVersion, type Tracking } from "../tracking/tables.ts";
import type { RepairEvidence } from "./types.ts";

/** Compares the catalog with the migration's snapshots, entry by entry of those that it changes. */
export async function catalogEvidence(session: Session, migration: string): Promise<RepairEvidence["catalog"]> {
  const before = await readSnapshot(session, migration, "before");
  const after = await readSnapshot(session, migration, "after");
  const nothing = { asAfter: [], asBefore: [], asNeither: [] };
  if (before === null) return { looks: "unknown", ...nothing };
  const now = await readSnapshotCatalog(session);
  if (after === null) return withoutAfter(before, now);
  const own = compareCatalogs(before, after);
  const [hashBefore, hashAfter, hashNow] = [before, after, now].map(hashes);
  const keys = [...own.removed, ...own.added, ...own.changed.map((change) => change.after)]
    .map(({ key }) => key)
    .sort();
  const is = (state: ReadonlyMap<string, string>) => (key: string) => hashNow!.get(key) === state.get(key);
  const asAfter = keys.filter(is(hashAfter!));
  const asBefore = keys.filter(is(hashBefore!));
  const asNeither = keys.filter((key) => !asAfter.includes(key) && !asBefore.includes(key));
  if (keys.length === 0) return { looks: "unknown", ...nothing };
  const looks =
    asAfter.length === keys.length ? "applied" : asBefore.length === keys.length ? "not_applied" : ("half" as const);
  return { looks, asAfter, asBefore, asNeither };
}

/** A migration that never ran to its end has no state of after: all that can be seen is whether the state of before is there. */
function withoutAfter(before: Catalog, now: Catalog): RepairEvidence["catalog"] {
  const { removed, added, changed } = compareCatalogs(before, now);
  const other = [...removed, ...added, ...changed.map((change) => change.after)].map(({ key }) => key).sort();
  const nothing = { asAfter: [], asBefore: [] };
  return { looks: other.length === 0 ? "not_applied" : "unknown", ...nothing, asNeither: other };
}

function hashes({ entries }: Catalog): Map<string, string> {
  return new Map(entries.map(({ key, hash }) => [key, hash]));
}

/** What the tool's own table says of a version. */
export async function toolEvidence(
  session: Session,
  version: string,
): Promise<{ evidence: RepairEvidence["tool"]; tracking: Tracking | null }> {
  const tracking = await readTracking(session, [version]);
  if (tracking === null) return { evidence: null, tracking };
  const { table, dirty } = tracking;
  const evidence = {
    name: table.tool,
    table: qualified(table.schema, table.table),
    recorded: isTracked(tracking, version),
    dirty: dirty !== null && sameVersion(dirty, version),
  };
  return { evidence, tracking };
}
