import { BelayError } from "../../errors.ts";
import { sqlState, sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { readBlockers } from "../plan/blockers.ts";
import {
  blockersWords,
  isLockFailure,
  type LockTarget,
  lockNotObtained,
  lockWithin,
  takeAdvisoryLock,
} from "../transaction/locks.ts";
import { pauseMs, sleep } from "../transaction/patience.ts";
import { beginLimited } from "../transaction/timeouts.ts";
import { type Waiting, type WantedLock, waitOutside } from "../transaction/wait-outside.ts";
import type { Plan } from "../types.ts";
import type { Attempt } from "./types.ts";

export interface Locked {
  readonly targets: readonly LockTarget[];
  /** When others began to wait for us, by performance.now(); null where no table is locked. */
  readonly at: number | null;
}

/**
 * Advisory lock, then the tables that lose or change rows; bounded in attempts and time, each attempt a new transaction
 * with its limits. Before each it waits, outside the queue, for long transactions that the rollback SQL would meet too.
 */
export function lockWithRetries(attempt: Attempt, session: Session, widen: ReadonlySet<number>): Promise<Locked> {
  return attempt.patience.during(async () => {
    const { settings } = attempt.belay;
    const targets = await lockTargets(session, attempt.plan, widen);
    const wanted = wantedLocks(targets, attempt.plan);
    const waiting = waitingOf(attempt, session, targets.map(({ schema, table }) => `${schema}.${table}`).join(", "));
    for (let tries = 1; ; tries++) {
      await beginLimited(session, settings);
      await takeAdvisoryLock(session);
      const withinMs = await waitOutside(waiting, wanted, tries - 1);
      const at = performance.now();
      try {
        await lockWithin(session, targets, { mode: "share row exclusive", withinMs, after: settings });
        return { targets, at: targets.length === 0 ? null : at };
      } catch (error) {
        if (isGone(error)) throw goneMeanwhile(waiting.what, error);
        if (!isLockFailure(error) || error instanceof BelayError) throw error;
        const pause = pauseMs(tries, performance.now() - at);
        await giveUpOrPause(attempt, { waiting, wanted, tries, pause, error }, () => session.run("rollback"));
      }
    }
  });
}

/** A table or its schema is no longer there by that name. */
export function isGone(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === sqlState.undefinedTable || state === sqlState.invalidSchemaName;
}

/** Another rollback, or somebody else, was first. */
export function goneMeanwhile(what: string, cause: unknown): BelayError {
  return new BelayError("plan_changed", `of ${what}, something was dropped or renamed meanwhile`, {
    hint: "Nothing changed here. Look at `belay status`, then plan again.",
    cause,
  });
}

/** A rollback or an undo, as far as it waits. */
type Waiter = Pick<Attempt, "belay" | "control" | "patience">;

/** Who waits for its locks. */
export function waitingOf(attempt: Waiter, session: Session, what: string): Waiting {
  const { belay, control, patience } = attempt;
  const say = (message: string) => belay.report({ phase: "lock", message });
  return { control, session, limits: belay.settings, patience, what, say };
}

interface Failed {
  readonly waiting: Waiting;
  readonly wanted: readonly WantedLock[];
  readonly tries: number;
  readonly pause: number;
  readonly error: unknown;
}

/** After a lock failure: names who is in the way, lets go with `release`, and pauses; throws when attempts or patience are used up. */
export async function giveUpOrPause(
  { belay, control, patience }: Waiter,
  { waiting, wanted, tries, pause, error }: Failed,
  release: () => Promise<unknown>,
): Promise<void> {
  const { lockAttempts } = belay.settings;
  const blockers = await readBlockers(control, wanted, { except: waiting.session.pid });
  await release();
  if (tries >= lockAttempts || patience.left() <= 0)
    throw lockNotObtained(waiting.what, { tries, waitedMs: patience.waitedMs() }, blockers, error);
  const who = blockers.length === 0 ? "" : `: ${blockersWords(blockers)}`;
  waiting.say(`locks not obtained in attempt ${tries} of ${lockAttempts}${who}`);
  await sleep(Math.min(pause, patience.left()));
}

/** What is locked now, and what the SQL will lock later: whoever stands in the way of that would be met with tables locked. */
function wantedLocks(targets: readonly LockTarget[], { locks }: Plan): WantedLock[] {
  const planned = new Set(locks.filter(({ mode }) => mode === "ACCESS EXCLUSIVE").map(({ oid }) => oid));
  return [
    ...locks,
    ...targets.filter(({ oid }) => !planned.has(oid)).map(({ oid }) => ({ oid, mode: "SHARE ROW EXCLUSIVE" })),
  ];
}

async function lockTargets(session: Session, plan: Plan, widen: ReadonlySet<number>): Promise<LockTarget[]> {
  const taken = [...plan.effect.tables, ...plan.effect.columns, ...plan.alsoArchived];
  const oids = [...taken.map(({ oid }) => oid), ...widen];
  const rows = await session.sql`
    select c.oid::int8::text as oid, n.nspname as schema, c.relname as table
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${oids.map(String)}::text[]::oid[]) and c.relkind in ('r', 'p')`;
  return rows.map((row) => ({ oid: Number(row.oid), schema: row.schema, table: row.table }));
}
