import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { type Blocker, readBlockers } from "../plan/blockers.ts";
import { blockersWords, lockNotObtained } from "./locks.ts";
import { type LockLimits, type Patience, sleep } from "./patience.ts";

/** A lock that will be asked for. */
export interface WantedLock {
  readonly oid: number;
  readonly mode: string;
}

/** Who waits, and how long at most. */
export interface Waiting {
  /** A session apart from the one that will lock. */
  readonly control: Session;
  /** The session that will lock, in its transaction. */
  readonly session: Session;
  readonly limits: LockLimits;
  readonly patience: Patience;
  /** What is to be locked, for the error. */
  readonly what: string;
  say(message: string): void;
}

const firstLookMs = 50;
const longestLookMs = 1_000;
/** The server ends an autovacuum that somebody has waited for so much longer than deadlock_timeout. */
const afterDeadlockCheckMs = 500;

/**
 * Waits while long transactions hold, or stand in line for, what conflicts with the wanted locks: a LOCK would wait for
 * them in the queue, and everyone else behind it. `long`: open longer than the lock timeout. Answers the milliseconds to
 * queue for. Throws `lock_not_obtained` naming them when the patience ends, and with `startAgain` when one of them waits for us.
 */
export async function waitOutside(waiting: Waiting, wanted: readonly WantedLock[], tries: number): Promise<number> {
  const { control, session, limits, patience } = waiting;
  const targets = await withDescendants(control, wanted);
  for (let look = 0; ; look++) {
    const all = await readBlockers(control, targets, { except: session.pid });
    const forUs = await whoWaitsForUs(control, all, session.pid);
    // However young: queueing behind it would be a deadlock, for which the server may end it instead of us.
    const cycle = all.find(({ pid, granted }) => granted && forUs.has(pid));
    if (cycle !== undefined) throw neitherGoesOn(waiting.what, cycle);
    const long = all.filter(({ ageSeconds }) => ageSeconds * 1_000 >= limits.lockTimeoutMs);
    const yielding = await yieldingVacuums(control, long);
    // Who waits for a table that we hold comes after us when we ask for more of it.
    const staying = long.filter(({ pid, granted }) => !yielding.has(pid) && (granted || !forUs.has(pid)));
    if (staying.length === 0) return queueFor(control, limits, yielding.size > 0);
    if (patience.left() <= 0) throw lockNotObtained(waiting.what, { tries, waitedMs: patience.waitedMs() }, staying);
    if (look % 20 === 0) waiting.say(`waiting outside the locks' queues for ${blockersWords(staying)}`);
    // Neither the server nor a proxy may take it for dead.
    await session.sql`select 1`;
    await sleep(Math.min(patience.left(), longestLookMs, firstLookMs * 1.3 ** look * (1 + Math.random() / 4)));
  }
}

/** LOCK TABLE goes on to partitions and children, where others may hold locks of their own. */
async function withDescendants({ sql }: Session, wanted: readonly WantedLock[]): Promise<WantedLock[]> {
  const rows = await sql`
    with recursive tree (root, oid) as (
      select w, w from unnest(${wanted.map(({ oid }) => String(oid))}::text[]::oid[]) w
      union select tree.root, i.inhrelid from tree join pg_inherits i on i.inhparent = tree.oid
    )
    select root::int8::text as root, oid::int8::text as oid from tree where root <> oid`;
  const modes = new Map(wanted.map(({ oid, mode }) => [oid, mode]));
  const children = rows
    .filter(({ oid }) => !modes.has(Number(oid)))
    .map(({ root, oid }) => ({ oid: Number(oid), mode: modes.get(Number(root))! }));
  return [...wanted, ...children];
}

/** Autovacuum gives way to who queues long enough, unless it prevents wraparound. */
async function yieldingVacuums({ sql }: Session, blockers: readonly Blocker[]): Promise<Set<number | null>> {
  const pids = blockers.flatMap(({ kind, pid }) => (kind === "autovacuum" && pid !== null ? [pid] : []));
  if (pids.length === 0) return new Set();
  const rows = await sql`
    select pid from pg_stat_activity where pid = any(${pids}) and query not like '%(to prevent wraparound)%'`;
  return new Set(rows.map(({ pid }) => pid as number));
}

async function queueFor({ sql }: Session, { lockTimeoutMs }: LockLimits, vacuum: boolean): Promise<number> {
  if (!vacuum) return lockTimeoutMs;
  const [row] = await sql`select setting::int as ms from pg_settings where name = 'deadlock_timeout'`;
  return Math.max(lockTimeoutMs, row!.ms + afterDeadlockCheckMs);
}

/** Who of them, itself or through others, waits for locks that we hold already. */
async function whoWaitsForUs(
  { sql }: Session,
  blockers: readonly Blocker[],
  ownPid: number,
): Promise<Set<number | null>> {
  const pids = blockers.flatMap(({ pid }) => pid ?? []);
  if (pids.length === 0) return new Set();
  const rows = await sql`
    with recursive chain (root, pid) as (
      select p, p from unnest(${pids}::int[]) p
      union select c.root, b from chain c, unnest(pg_blocking_pids(c.pid)) b
    )
    select distinct root from chain where pid = ${ownPid}`;
  return new Set(rows.map(({ root }) => root as number));
}

function neitherGoesOn(what: string, blocker: Blocker): BelayError {
  return new BelayError(
    "lock_not_obtained",
    `${what} is held by ${blockersWords([blocker])}, which waits for a table that this rollback has locked: neither can go on`,
    {
      hint: "Nothing changed. Run the same command again.",
      details: { startAgain: true, blockers: [blocker], pids: [blocker.pid] },
    },
  );
}
