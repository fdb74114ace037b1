import { quoteIdent } from "../../catalog/identifiers.ts";
import { BelayError } from "../../errors.ts";
import { sqlState, sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { plural } from "../../words.ts";
import type { Blocker } from "../plan/blockers.ts";

/** One rollback at a time per database: "belay" in ASCII and 1, as the two halves of an advisory lock's key. */
const advisoryKey = [0x62656c61, 1] as const;

/** A table to lock, by oid and by name. */
export interface LockTarget {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
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
  if (targets.length > 0) await session.run(lockStatement(targets, "share row exclusive"));
}

export interface QueueLimits {
  readonly mode: "share row exclusive" | "access exclusive";
  /** Longest time in queues, of all tables together: on those that are locked already others wait for us. */
  readonly withinMs: number;
  /** The transaction's own limits, which hold again afterwards. */
  readonly after: { readonly lockTimeoutMs: number; readonly statementTimeoutMs: number };
}

/** Locks tables as lockTables does, within a time that counts for all of them. Throws a lock failure; the caller goes back to a savepoint. */
export async function lockWithin(session: Session, targets: readonly LockTarget[], limits: QueueLimits): Promise<void> {
  if (targets.length === 0) return;
  const { mode, withinMs, after } = limits;
  const started = performance.now();
  try {
    await session.run(
      `set local lock_timeout = ${withinMs}; set local statement_timeout = ${withinMs}; ${lockStatement(targets, mode)};
       set local statement_timeout = ${after.statementTimeoutMs}; set local lock_timeout = ${after.lockTimeoutMs}`,
    );
  } catch (error) {
    const timedOut = sqlStateOf(error) === sqlState.queryCanceled && performance.now() - started >= withinMs * 0.9;
    throw timedOut ? new QueueTimeout(error) : error;
  }
}

/** Several locks together took too long, which the server reports as a statement timeout. */
class QueueTimeout extends Error {
  readonly code = sqlState.lockNotAvailable;
  constructor(cause: unknown) {
    super("locks were not to be had in time", { cause });
  }
}

function lockStatement(targets: readonly LockTarget[], mode: string): string {
  const names = [...targets]
    .sort((a, b) => a.oid - b.oid)
    .map((target) => `${quoteIdent(target.schema)}.${quoteIdent(target.table)}`);
  return `lock table ${names.join(", ")} in ${mode} mode`;
}

/** Whether an error means that a lock was not to be had just now: lock timeout or deadlock. */
export function isLockFailure(error: unknown): boolean {
  const state = sqlStateOf(error) ?? sqlStateOf((error as { cause?: unknown } | null)?.cause);
  return state === sqlState.lockNotAvailable || state === sqlState.deadlockDetected;
}

/** The error of locks that could not be had in the bounded number of attempts and time, naming who holds them. */
export function lockNotObtained(
  what: string,
  { tries, waitedMs }: { readonly tries: number; readonly waitedMs: number },
  blockers: readonly Blocker[],
  cause?: unknown,
): BelayError {
  const held = blockers.length === 0 ? "" : `; held by ${blockersWords(blockers)}`;
  const how = `${plural(tries, "attempt")} and ${Math.round(waitedMs / 100) / 10} s`;
  return new BelayError("lock_not_obtained", `${what} could not be locked in ${how}${held}`, {
    hint: nextStep(blockers),
    details: {
      attempts: tries,
      waitedMs: Math.round(waitedMs),
      blockers,
      pids: blockers.flatMap(({ pid }) => pid ?? []),
    },
    cause,
  });
}

function nextStep(blockers: readonly Blocker[]): string {
  const [first] = blockers;
  if (first === undefined) return "Try again when the table is less busy, or raise lockTimeoutMs or lockWaitMs.";
  if (first.pid === null)
    return `Settle the prepared transaction (commit prepared or rollback prepared '${first.gid}'), then run the same command again.`;
  return `Wait for that session, or end it: select pg_terminate_backend(${first.pid}); then run the same command again.`;
}

const mostNamed = 5;

/** `pid 7 (role amy, idle in transaction, open 12 s, query begun 10 s ago: UPDATE orders) on public.orders`, for each. */
export function blockersWords(blockers: readonly Blocker[]): string {
  const words = blockers.slice(0, mostNamed).map((blocker) => {
    const { pid, gid, role, state, ageSeconds, queryAgeSeconds, query, granted, relation } = blocker;
    const who = pid === null ? `prepared transaction ${gid ?? "(name hidden)"}` : `pid ${pid}`;
    const begun =
      queryAgeSeconds === null ? "" : `, query begun ${queryAgeSeconds} s ago${query === "" ? "" : `: ${query}`}`;
    const where = granted ? "on" : "in line for";
    return `${who} (${role === "" ? blocker.kind : `role ${role}`}, ${state}, open ${ageSeconds} s${begun}) ${where} ${relation}`;
  });
  const more = blockers.length > mostNamed ? ` and ${blockers.length - mostNamed} more` : "";
  return `${words.join(", ")}${more}`;
}
