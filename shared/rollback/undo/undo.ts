import { requireVerified } from "../../archive/verify.ts";
import { sealRecords } from "../../audit/seal-records.ts";
import type { Belay } from "../../context.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Observe } from "../execute/types.ts";
import { addNotes, validateKeys } from "../preserve/validate-keys.ts";
import { withControl } from "../transaction/connection.ts";
import { openWorker } from "../transaction/control.ts";
import { recordIntent } from "../transaction/intent.ts";
import { settleFailure } from "../transaction/settle.ts";
import { frozenUndoMs, watchClient } from "../transaction/timeouts.ts";
import { startWatchdog } from "../transaction/watchdog.ts";
import type { RollbackReport } from "../types.ts";
import { checkUndoPlan } from "./blocked.ts";
import { undoSubject } from "./make-plan.ts";
import type { UndoPlan } from "./plan-types.ts";
import { planUndoWithFacts } from "./plan-undo.ts";
import { runUndo } from "./run-undo.ts";
import type { UndoRequest, UndoRun } from "./types.ts";
import { requireSameManifest } from "./undo-archive.ts";
import type { UndoFacts } from "./undo-facts.ts";

export type { UndoRequest } from "./types.ts";

/**
 * Puts back what a rollback destroyed: objects, rows, sequences, ledger, in one transaction. Throws `unknown_rollback`,
 * `undo_conflict`, `gate_failed`, `plan_changed`, `archive_invalid`, `rollback_in_progress`, `lock_not_obtained` or a
 * store's error; whatever it throws, the database is as it was and the failure is on record.
 */
export async function undoRollback(
  belay: Belay,
  request: UndoRequest,
  observe: Observe = () => {},
): Promise<RollbackReport> {
  return withControl(belay, async (control) => {
    belay.report({ phase: "plan", message: "planning the undo" });
    const planned = await planUndoWithFacts(belay, request);
    const report = await onRecord(belay, control, request, planned, observe);
    const checked = await validateKeys(belay, planned.facts.found.kept?.keys ?? []);
    await addNotes(control, report.rollbackId, checked);
    return { ...report, notes: [...report.notes, ...checked, ...(await sealRecords(belay, control))] };
  });
}

async function onRecord(
  belay: Belay,
  control: Session,
  request: UndoRequest,
  { plan, facts }: { readonly plan: UndoPlan; readonly facts: UndoFacts },
  observe: Observe,
): Promise<RollbackReport> {
  const undoId = await recordIntent(control, {
    kind: "undo",
    migration: plan.migration,
    undoes: plan.rollbackId,
    planHash: plan.hash,
    plan,
    reason: request.reason,
    actor: belay.actor,
    backendPid: control.pid,
  });
  const begun = { rollbackId: undoId, migrations: plan.migrations, plan: null };
  try {
    await observe("intent", begun);
    checkUndoPlan(plan, request.planHash);
    await verifyArchive(belay, facts);
    await observe("ready", begun);
    const { found, archive } = facts;
    const startedAt = belay.now();
    return await withSession({ belay, control, request, plan, found, archive, undoId, observe, startedAt });
  } catch (error) {
    const failure = databaseError(error, { url: belay.settings.database, doing: `undoing ${undoSubject(plan)}` });
    await settleFailure(belay, control, undoId, failure);
    throw failure;
  }
}

/** Every byte that comes back is read before anything is locked. */
async function verifyArchive(belay: Belay, { found }: UndoFacts): Promise<void> {
  if (found.kept?.purgedTo) await requireVerified(belay.store, found.kept.purgedTo.id);
  if (found.archiveId === null) return;
  belay.report({ phase: "verify", message: `reading every byte of ${found.archiveId}` });
  await requireSameManifest(belay.store, found);
  await requireVerified(belay.store, found.archiveId);
}

/** A fresh connection: the server's counters may still hold what an earlier transaction did. */
async function withSession(run: UndoRun): Promise<RollbackReport> {
  const session = await openWorker(run.belay, "belay undo");
  const stop = await startWatchdog(run.belay, run.control, session, frozenUndoMs(run.belay.settings));
  try {
    await watchClient(session);
    return await runUndo(run, session);
  } finally {
    await stop();
    await session.close().catch(() => {});
  }
}
