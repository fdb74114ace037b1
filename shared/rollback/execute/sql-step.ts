import type { Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import { isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { readSequences, type SequenceAccount } from "../guard/account.ts";
import { isLockFailure } from "../transaction/locks.ts";
import { pauseMs } from "../transaction/patience.ts";
import {
  backToSavepoint,
  type CriticalSection,
  defaultSurroundings,
  rollbackSqlError,
  type Surroundings,
  startCriticalSection,
} from "../transaction/run-sql.ts";
import { lockSequences } from "../transaction/sequences.ts";
import { setLimits } from "../transaction/timeouts.ts";
import { waitOutside } from "../transaction/wait-outside.ts";
import type { Plan } from "../types.ts";
import { giveUpOrPause, waitingOf } from "./lock-step.ts";
import { requireNothingMeanwhile } from "./meanwhile.ts";
import { planSubject, runUnits } from "./run-units.ts";
import type { Attempt, Before } from "./types.ts";

/** How the rollback SQL ran; `setting`: where sequences that stay and that it sets stood before it. */
export interface Ran {
  readonly attempts: number;
  readonly section: CriticalSection;
  readonly setting: ReadonlyMap<number, SequenceAccount>;
  /** What others made while the archive was written. */
  readonly came: readonly Entry[];
}

/**
 * Runs the SQL in a savepoint; a lock timeout or deadlock goes back to it, keeping table locks and archive. Between two
 * attempts it holds none of the SQL's locks, and waits outside of their queues for long transactions.
 */
export async function runWithRetries(
  attempt: Attempt,
  session: Session,
  plan: Plan,
  before: Before,
  xid: string,
): Promise<Ran> {
  const { belay, patience } = attempt;
  const surroundings = await defaultSurroundings(session);
  const waiting = waitingOf(attempt, session, `what the rollback SQL of ${planSubject(plan)} needs`);
  for (let tries = 1; ; tries++) {
    const withinMs = await patience.during(() => waitOutside(waiting, plan.locks, tries - 1));
    const section = startCriticalSection(attempt.control, session.pid, belay.settings.criticalSectionMs);
    try {
      belay.report({ phase: "sql", message: `running the rollback SQL, attempt ${tries}` });
      const ran = await runOnce({ attempt, session, plan, before, xid, surroundings, withinMs });
      section.check();
      return { section, attempts: tries, ...ran };
    } catch (error) {
      section.stop();
      if (!isLockFailure(error)) {
        section.check();
        throw error instanceof BelayError || isConnectionLost(error)
          ? error
          : rollbackSqlError(error, plan.migration, plan.sql);
      }
      // Not longer from attempt to attempt: writers wait on meanwhile.
      const pause = pauseMs(1, Math.min(section.elapsed(), withinMs));
      patience.spend(section.elapsed());
      await patience.during(() =>
        giveUpOrPause(attempt, { waiting, wanted: plan.locks, tries, pause, error }, async () => {
          await backToSavepoint(session);
          await setLimits(session, belay.settings);
        }),
      );
    }
  }
}

interface Once {
  readonly attempt: Attempt;
  readonly session: Session;
  readonly plan: Plan;
  readonly before: Before;
  readonly xid: string;
  readonly surroundings: Surroundings;
  /** Longest time in the queue for the locks on what goes. */
  readonly withinMs: number;
}

async function runOnce({
  attempt,
  session,
  plan,
  before,
  xid,
  surroundings,
  withinMs,
}: Once): Promise<Pick<Ran, "setting" | "came">> {
  const { settings } = attempt.belay;
  await setLimits(session, settings, "critical");
  await session.run("savepoint belay_sql");
  const came = await requireNothingMeanwhile(session, plan, before, { withinMs, after: settings });
  const setting = await holdWhatStays(session, plan, before);
  await runUnits(session, settings, plan, surroundings, xid);
  return { setting, came };
}

/** Archived sequences that stay are drawn from until the SQL begins: archiving may take long. Answers where they stand now. */
async function holdWhatStays(session: Session, plan: Plan, { scope }: Before): Promise<Ran["setting"]> {
  const going = new Set(goingSequences(plan));
  const oids = scope.sequences.map(({ oid }) => oid).filter((oid) => !going.has(oid));
  if (oids.length === 0) return new Map();
  await lockSequences(session, oids);
  return readSequences(session, { only: oids });
}

export function goingSequences({ effect }: Plan): number[] {
  return effect.sequences.filter(({ stays }) => !stays).map(({ oid }) => oid);
}
