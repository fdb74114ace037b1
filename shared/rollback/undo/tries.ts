import type { Catalog } from "../../catalog/types.ts";
import type { CatalogWatch } from "../../catalog/watch.ts";
import { BelayError } from "../../errors.ts";
import { isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { giveUpOrPause, waitingOf } from "../execute/lock-step.ts";
import { readAccount } from "../guard/account.ts";
import { isLockFailure } from "../transaction/locks.ts";
import { type Patience, pauseMs } from "../transaction/patience.ts";
import { checkUndo } from "./check.ts";
import { undoSubject } from "./make-plan.ts";
import type { TimeLimit } from "./time.ts";
import type { Undoable, UndoBefore, UndoRun, Way } from "./types.ts";
import { entriesInPathWay, entriesWay, forwardWay } from "./ways.ts";

/** How the schema came back; `startedAt`: when the way that led there began, by performance.now(). */
export interface PutBack {
  readonly notes: readonly string[];
  readonly attempts: number;
  readonly catalog: Catalog;
  readonly startedAt: number;
}

export interface Trying {
  readonly run: UndoRun;
  readonly session: Session;
  readonly watch: CatalogWatch;
  readonly undoable: Undoable;
  /** A part of a rollback is nothing that forward SQL could put back. */
  readonly whole: boolean;
  readonly before: UndoBefore;
  readonly patience: Patience;
  readonly limit: TimeLimit;
}

/** Tries each way in a savepoint until one ends at the catalog of before; what the others said is in the error when none fits. */
export async function tryWays(trying: Trying): Promise<PutBack> {
  const reasons: string[] = [];
  for (const way of trying.whole ? [forwardWay, entriesWay, entriesInPathWay] : [entriesWay, entriesInPathWay]) {
    // Another search_path helps only where a name was not found.
    if (way === entriesInPathWay && !reasons.at(-1)!.includes("does not exist")) break;
    const tried = await tryWay(trying, way);
    if (typeof tried !== "string") return tried;
    reasons.push(`${way.name}: ${tried}`);
  }
  const { found } = trying.run;
  throw new BelayError("undo_conflict", `${undoSubject(trying.run.plan)} could not be undone: ${reasons.join("; ")}`, {
    hint:
      found.archiveId === null
        ? "Nothing changed. Put the objects back by hand: the rollback's record has their definitions."
        : "Nothing changed. The archive restores with pg_restore; its README.txt says how to do it by hand.",
    details: { reasons, archiveId: found.archiveId },
  });
}

/** One way: what it came to, or why it does not lead there. Throws what would fail on every way. */
async function tryWay(trying: Trying, way: Way): Promise<PutBack | string> {
  const { run, session, undoable, limit } = trying;
  const { belay, control } = run;
  for (let tries = 1; ; tries++) {
    const startedAt = performance.now();
    await session.run("savepoint belay_undo");
    // Rows that an abandoned way wrote stay counted: only what comes from here on is judged.
    const before = { ...trying.before, account: await readAccount(session) };
    try {
      belay.report({ phase: "undo", message: `putting the schema back ${way.name}` });
      const attempt = { belay, control, session, watch: trying.watch, undoable };
      const { notes, catalog } = await checkUndo(attempt, before, await way.run(attempt, before));
      return { notes: [`schema put back ${way.name}`, ...notes], attempts: tries, catalog, startedAt };
    } catch (error) {
      limit.check();
      const elsewhere = error instanceof BelayError && error.code.startsWith("store_");
      if (!session.alive || isConnectionLost(error) || elsewhere) throw error;
      if (!isLockFailure(error)) {
        await session.run("rollback to savepoint belay_undo");
        return (error as Error).message;
      }
      await pauseOutside(trying, tries, performance.now() - startedAt, error);
    }
  }
}

/** Back to the savepoint: the locks on the tables and the archive stay. */
async function pauseOutside({ run, session, patience }: Trying, tries: number, queuedMs: number, error: unknown) {
  const attempt = { ...run, patience };
  const waiting = waitingOf(attempt, session, `what the undo of ${undoSubject(run.plan)} needs`);
  const pause = Math.min(pauseMs(tries, queuedMs), 2_000);
  await patience.during(() =>
    giveUpOrPause(attempt, { waiting, wanted: run.plan.locks, tries, pause, error }, () =>
      session.run("rollback to savepoint belay_undo"),
    ),
  );
}
