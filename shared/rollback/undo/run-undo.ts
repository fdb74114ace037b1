import { type CatalogWatch, watchCatalog } from "../../catalog/watch.ts";
import { BelayError } from "../../errors.ts";
import { isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { archiveScoped, discardArchive, type ScopedArchive } from "../execute/archive-step.ts";
import { type Account, readAccount } from "../guard/account.ts";
import { commit } from "../transaction/commit.ts";
import { giveUp } from "../transaction/give-up.ts";
import { recordLockTimes, recordSequences, recordTransaction } from "../transaction/intent.ts";
import { startPatience } from "../transaction/patience.ts";
import { readAhead } from "../transaction/read-ahead.ts";
import { withLockTimes } from "../transaction/report.ts";
import { restoreSequences } from "../transaction/sequences.ts";
import type { RollbackReport } from "../types.ts";
import { checkUndoGrowth, requireSameUndo, requireUnblocked } from "./blocked.ts";
import { concludeUndo } from "./conclude-undo.ts";
import { lockForUndo } from "./lock-undo.ts";
import { makeUndoPlan, rowsReplaced } from "./make-plan.ts";
import { mergedStates } from "./merged-states.ts";
import { undoWaivers } from "./plan-undo.ts";
import { goingOf } from "./replaced.ts";
import type { KnownStates } from "./standing-rows.ts";
import { limitTime, type TimeLimit } from "./time.ts";
import { tryWays } from "./tries.ts";
import type { UndoRun } from "./types.ts";
import { isEmptyScope } from "./undo-archive.ts";
import { gatherUndoFacts, type UndoFacts } from "./undo-facts.ts";

/** One transaction, from the locks to COMMIT. */
export async function runUndo(run: UndoRun, session: Session): Promise<RollbackReport> {
  const { belay, control, undoId } = run;
  let archive: ScopedArchive | null = null;
  let standing: Account | undefined;
  let limit: TimeLimit | undefined;
  let xid: string | undefined;
  let committed = false;
  try {
    const watch = watchCatalog(session);
    await readAhead(session, belay.settings, watch);
    const patience = startPatience(belay.settings);
    const lockedAt = await lockForUndo(run, session, patience);
    xid = await nameTransaction(run, session);
    const known: KnownStates = new Map();
    let facts = await replan(run, session, { known, watch });
    await run.observe("locked");
    archive = await archiveReplaced(run, session, facts);
    // While the archive was written, others could still hang views on what goes.
    if (archive !== null) facts = await replan(run, session, { known, watch });
    await run.observe("archived");
    standing = await readAccount(control);
    await recordSequences(control, undoId, standing);
    limit = limitTime(control, session.pid, belay.settings.statementTimeoutMs);
    const { work, catalog, account, whole } = facts;
    const before = { catalog, account, merged: await mergedStates(session, work, account) };
    const done = await tryWays({ run, session, watch, undoable: work, whole, before, patience, limit });
    const report = await concludeUndo({ run, session, facts, before, archive, done, lockedAt });
    limit.check();
    limit.stop();
    await run.observe("guarded");
    await commit(belay, undoId, session, xid);
    committed = true;
    const timed = withLockTimes(report, { sectionAt: done.startedAt, lockedAt });
    await recordLockTimes(control, timed);
    await run.observe("committed");
    return timed;
  } catch (error) {
    const open = error instanceof BelayError && error.details.outcome === "unknown";
    if (!committed && !open && (await giveUp(belay, session, xid)))
      await putBack(run, isConnectionLost(error) ? undefined : standing, archive).catch(() => {});
    limit?.check();
    throw error;
  } finally {
    limit?.stop();
  }
}

async function nameTransaction(run: UndoRun, session: Session): Promise<string> {
  const [row] = await session.sql`select pg_current_xact_id()::text as xid`;
  await recordTransaction(run.control, run.undoId, row!.xid, session.pid);
  return row!.xid;
}

/** What the session knows already of the database. */
interface Standing {
  readonly known: KnownStates;
  readonly watch: CatalogWatch;
}

/** Plans again under the locks: what was approved must be what would happen now. */
async function replan(run: UndoRun, session: Session, standing: Standing): Promise<UndoFacts> {
  const { belay, request, archive, plan } = run;
  const [row] = await session.sql`
    select outcome from belay.rollbacks where id = ${run.found.rollbackId} for update`;
  const found = { ...run.found, outcome: row!.outcome as string };
  const facts = await gatherUndoFacts(session, belay, { request, found, archive, ...standing });
  const { policy } = belay.settings;
  const now = makeUndoPlan(facts, { policy, waive: undoWaivers(belay, request.waive) });
  requireUnblocked(now);
  requireSameUndo(now, plan.hash);
  checkUndoGrowth(now, request.plannedRows ?? rowsReplaced(plan.replaces), policy);
  return facts;
}

/** What goes or is written over, as it is now, verified byte by byte; null where nothing does. */
async function archiveReplaced(run: UndoRun, session: Session, facts: UndoFacts): Promise<ScopedArchive | null> {
  const { scope, account, catalog } = facts;
  if (isEmptyScope(scope)) return null;
  run.belay.report({ phase: "archive", message: "archiving what the undo replaces" });
  const archiving = { belay: run.belay, rollbackId: run.undoId, request: { reason: run.request.reason } };
  const going = { migration: run.plan.migration, ...goingOf(facts.replaced) };
  return archiveScoped(archiving, session, going, { scope, account, catalog }, "undo");
}

/** Lifts sequences that setval pushed back (what settles a lost connection does so itself), and removes the archive of what is still there. */
async function putBack(
  { belay, control }: UndoRun,
  standing: Account | undefined,
  archive: ScopedArchive | null,
): Promise<void> {
  if (standing !== undefined && control.alive) await restoreSequences(control, standing);
  if (archive !== null) await discardArchive(belay, archive.manifest);
}
