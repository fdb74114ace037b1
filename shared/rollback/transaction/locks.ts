import { quoteIdent } from "../../catalog/identifiers.ts";
import { BelayError } from "../../errors.ts";
import { sqlState, sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";

/** One rollback at a time per database: "belay" in ASCII and 1, as the two halves of an advisory lock's key. */
const advisoryKey = [0x62656c61, 1] as const;

/** A table to lock, by oid and by name. */
export interface LockTarget {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
}

export interface LockOwner {
  readonly pid: number;
  readonly role: string;
  readonly state: string;
  readonly ageSeconds: number;
  readonly relation: string;
}

/** Takes the transaction-level lock that makes rollbacks one at a time; throws `rollback_in_progress`. */
export async function takeAdvisoryLock(session: Session): Promise<void> {
  try {
    await session.sql`select pg_advisory_xact_lock(${advisoryKey[0]}, ${advisoryKey[1]})`;
  } catch (error) {
    if (sqlStateOf(error) !== sqlState.lockNotAvailable) throw error;
    throw new BelayError("rollback_in_progress", "another rollback or undo is running on this database", {
      hint: "Wait until it has ended, then plan again.",
      cause: error,
    });
  }
}

/** Locks tables against writers, in oid order so that two lockers cannot deadlock; the session's lock_timeout applies. */
export async function lockTables(session: Session, targets: readonly LockTarget[]): Promise<void> {
  const names = [...targets]
    .sort((a, b) => a.oid - b.oid)
    .map((target) => `${quoteIdent(target.schema)}.${quoteIdent(target.table)}`);
  if (names.length > 0) await session.run(`lock table ${names.join(", ")} in share row exclusive mode`);
}

/** Whether an error means that a lock was not to be had just now: lock timeout or deadlock. */
export function isLockFailure(error: unknown): boolean {
  const state = sqlStateOf(error) ?? sqlStateOf((error as { cause?: unknown } | null)?.cause);
  return state === sqlState.lockNotAvailable || state === sqlState.deadlockDetected;
}

/** Sessions that hold locks on the relations; `anyMode`: readers too, for statements that need AccessExclusive. */
export async function findBlockers(
  control: Session,
  ownPid: number,
  oids: readonly number[],
  anyMode: boolean,
): Promise<LockOwner[]> {
  const rows = await control.sql`
    select distinct on (l.pid) l.pid, coalesce(a.usename, '') as role, coalesce(a.state, '') as state,
           coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::float8 as age,
           l.relation::regclass::text as relation
      from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'relation' and l.pid <> ${ownPid} and l.pid <> pg_backend_pid()
       and l.database = (select oid from pg_database where datname = current_database())
       and l.relation = any(${oids.map(String)}::text[]::oid[])
       and (${anyMode} or l.mode not in ('AccessShareLock', 'RowShareLock'))
     order by l.pid, l.granted desc`;
  return rows.map((row) => ({
    pid: row.pid,
    role: row.role,
    state: row.state,
    ageSeconds: Math.round(row.age),
    relation: row.relation,
  }));
}

/** The error of a lock that could not be had in the bounded number of attempts, naming who holds it. */
export function lockNotObtained(what: string, attempts: number, blockers: readonly LockOwner[], cause: unknown) {
  const holders = blockers.map(
    (b) =>
      `pid ${b.pid} (${b.role || "unknown role"}, ${b.state || "unknown state"} for ${b.ageSeconds} s) on ${b.relation}`,
  );
  const held = holders.length === 0 ? "" : `; held by ${holders.join(", ")}`;
  return new BelayError("lock_not_obtained", `${what} could not be locked in ${attempts} attempts${held}`, {
    hint:
      blockers.length === 0
        ? "Try again when the table is less busy, or raise the lock timeout."
        : `Wait for that session, or end it: select pg_terminate_backend(${blockers[0]!.pid}); then run the same command again.`,
    details: { attempts, blockers, pids: blockers.map((b) => b.pid) },
    cause,
  });
}

/** Waits before the next attempt: doubling from 100 ms to 2 s, half of it random, so that two waiters drift apart. */
export function backOff(attempt: number): Promise<void> {
  const ceiling = Math.min(2_000, 100 * 2 ** (attempt - 1));
  return new Promise((resolve) => setTimeout(resolve, ceiling / 2 + (Math.random() * ceiling) / 2));
}
