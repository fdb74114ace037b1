import type { Session } from "../../postgres/session.ts";
import { type Account, readAccount } from "../guard/account.ts";
import { countedSince, judge } from "../guard/guard.ts";
import type { Violation } from "../guard/types.ts";
import { nothingLeft } from "../transaction/run-sql.ts";

/** Oids below are the server's own (access/transam.h, FirstNormalObjectId). */
const firstOwnOid = 16_384;

/**
 * After Belay wrote its records: asks again, since a trigger or rule on what it wrote may have done more. `tolerated`: the
 * tool's tracking table, which Belay itself changed.
 */
export async function lastLook(
  session: Session,
  judged: Account,
  tolerated: ReadonlySet<number>,
): Promise<Violation[]> {
  await nothingLeft(session);
  const now = await readAccount(session, judged);
  const records = [...judged.relations.values()].filter(({ schema }) => schema === "belay").map(({ oid }) => oid);
  const coverage = {
    tables: new Set<number>(),
    columns: new Map(),
    sequences: new Set<number>(),
    entries: new Set<string>(),
    planned: new Set<string>(),
    named: new Set<number>(),
    tolerated: new Set([...records, ...tolerated]),
  };
  const difference = { removed: [], added: [], changed: [] };
  const since = { ...now, locks: newLocks(judged, now) };
  return [...judge(judged, since, difference, coverage).violations, ...catalogWrites(judged, now)];
}

function newLocks(before: Account, now: Account): Map<number, readonly string[]> {
  return new Map(
    [...now.locks].map(([oid, modes]) => [oid, modes.filter((mode) => !before.locks.get(oid)?.includes(mode))]),
  );
}

function catalogWrites(before: Account, now: Account): Violation[] {
  const written = [...now.counters.keys()].some(
    (oid) => oid < firstOwnOid && countedSince(before.counters.get(oid), now.counters.get(oid)) !== null,
  );
  return written
    ? [{ subject: "the catalog", oid: null, what: "changed by a trigger on what Belay recorded", curable: false }]
    : [];
}
