import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { giveUpOrPause, goneMeanwhile, isGone, waitingOf } from "../execute/lock-step.ts";
import { requireStillKept } from "../preserve/kept.ts";
import { isLockFailure, lockWithin, takeAdvisoryLock } from "../transaction/locks.ts";
import { type Patience, pauseMs } from "../transaction/patience.ts";
import { beginLimited } from "../transaction/timeouts.ts";
import { waitOutside } from "../transaction/wait-outside.ts";
import { undoSubject } from "./make-plan.ts";
import type { UndoRun } from "./types.ts";
import { lockedFirst } from "./undo-locks.ts";

/**
 * Begins the transaction: advisory lock, then every table that the undo writes, replaces or alters, against writers, in oid
 * order; bounded in attempts and time. Answers since when others wait, by performance.now(); null where no table is locked.
 */
export function lockForUndo(run: UndoRun, session: Session, patience: Patience): Promise<number | null> {
  return patience.during(async () => {
    const { settings } = run.belay;
    const targets = await lockedFirst(session, run.plan.locks);
    const attempt = { ...run, patience };
    const waiting = waitingOf(attempt, session, `what the undo of ${undoSubject(run.plan)} needs`);
    const wanted = run.plan.locks;
    for (let tries = 1; ; tries++) {
      await beginLimited(session, settings);
      await takeAdvisoryLock(session);
      await requireStillKept(session, run.found.kept);
      const withinMs = await waitOutside(waiting, wanted, tries - 1);
      const at = performance.now();
      try {
        await lockWithin(session, targets, { mode: "share row exclusive", withinMs, after: settings });
        return targets.length === 0 ? null : at;
      } catch (error) {
        if (isGone(error)) throw goneMeanwhile(waiting.what, error);
        if (!isLockFailure(error) || error instanceof BelayError) throw error;
        const pause = pauseMs(tries, performance.now() - at);
        await giveUpOrPause(attempt, { waiting, wanted, tries, pause, error }, () => session.run("rollback"));
      }
    }
  });
}
