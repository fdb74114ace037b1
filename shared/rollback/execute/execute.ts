import { sealRecords } from "../../audit/seal-records.ts";
import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { MigrationFolder } from "../../migrations/types.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Facts } from "../plan/facts.ts";
import { planWithFacts } from "../plan/plan-rollback.ts";
import type { Policy } from "../plan/policy.ts";
import { requestWords, type TargetRequest } from "../plan/target.ts";
import { withControl } from "../transaction/connection.ts";
import { openWorker } from "../transaction/control.ts";
import { recordIntent } from "../transaction/intent.ts";
import { startPatience } from "../transaction/patience.ts";
import { settleFailure } from "../transaction/settle.ts";
import { watchClient } from "../transaction/timeouts.ts";
import { startWatchdog } from "../transaction/watchdog.ts";
import type { Plan, RollbackReport } from "../types.ts";
import { runAttempt } from "./attempt.ts";
import { requireInside } from "./outside.ts";
import { checkBudget, checkPlan } from "./preconditions.ts";
import type { Attempt, Observe } from "./types.ts";

export interface RollbackRequest extends TargetRequest {
  /** Hash of the plan that was shown and approved; without it, the plan made now is taken. */
  readonly planHash?: string;
  readonly reason: string;
  /** The checkout, for the checksum gate. */
  readonly folder?: MigrationFolder | null;
  /** Which gates stop a rollback; default: the settings' policy. */
  readonly policy?: Policy;
  /** Gates to waive, as far as the policy lets them; the reason goes on record for each. */
  readonly waive?: readonly string[];
  /** Rows that the plan which was looked at would destroy; default: as planned now. More than the policy lets grow is a conflict. */
  readonly plannedRows?: number;
}

/**
 * Rolls back a migration, or several as one set, without losing a row (spec, section 5). Throws `gate_failed`, `plan_changed`, `needs_worker`,
 * `rollback_in_progress`, `lock_not_obtained`, `sql_failed`, `guard_loss`, `end_state_differs` or a store's error;
 * whatever it throws, the database is as it was and the failure is on record.
 */
export async function executeRollback(
  belay: Belay,
  request: RollbackRequest,
  observe: Observe = () => {},
): Promise<RollbackReport> {
  return withControl(belay, async (control) => {
    belay.report({ phase: "plan", message: `planning the rollback of ${requestWords(request)}` });
    const planned = await planWithFacts(belay, request);
    const report = await onRecord(belay, control, request, planned, observe);
    return { ...report, notes: [...report.notes, ...(await sealRecords(belay, control))] };
  });
}

async function onRecord(
  belay: Belay,
  control: Session,
  request: RollbackRequest,
  { plan, facts }: { readonly plan: Plan; readonly facts: Facts },
  observe: Observe,
): Promise<RollbackReport> {
  const rollbackId = await recordIntent(control, {
    kind: "rollback",
    migration: plan.migration,
    undoes: null,
    planHash: plan.hash,
    plan,
    reason: request.reason,
    actor: belay.actor,
    backendPid: control.pid,
  });
  const begun = { rollbackId, migrations: plan.migrations.map(({ migration }) => migration), plan };
  try {
    await observe("intent", begun);
    checkPlan(plan, request.planHash);
    await requireInside(control, plan);
    await checkBudget(belay, control, plan);
    await observe("ready", begun);
    const { dump } = facts.evidence;
    const patience = startPatience(belay.settings);
    const attempt = {
      belay,
      control,
      rollbackId,
      plan,
      dump,
      request,
      observe,
      startedAt: belay.now(),
      notes: [],
      patience,
    };
    return await withOneWiderArchive(attempt);
  } catch (error) {
    const failure = databaseError(error, { url: belay.settings.database });
    await settleFailure(belay, control, rollbackId, failure);
    throw failure;
  }
}

/** Runs; when rows changed in a table that the plan names but the archive lacks, once more with that table archived whole. */
async function withOneWiderArchive(attempt: Attempt): Promise<RollbackReport> {
  try {
    return await pastDeadlocks(attempt, new Set());
  } catch (error) {
    const widen = isBelayError(error, "guard_loss") ? (error.details.widen as readonly number[]) : [];
    if (widen.length === 0) throw error;
    const why = (error as Error).message;
    attempt.belay.report({ phase: "archive", message: `starting again with a wider archive: ${why}` });
    const notes = [...attempt.notes, `ran a second time, with a wider archive, because the first time ${why}`];
    return await pastDeadlocks({ ...attempt, notes }, new Set(widen));
  }
}

const mostRounds = 3;

/** A session that reads what goes and waits to write it waits for us as we wait for it: all locks are let go, and taken anew. */
async function pastDeadlocks(attempt: Attempt, widen: ReadonlySet<number>): Promise<RollbackReport> {
  for (let round = 1; ; round++) {
    try {
      return await withSession(attempt, widen);
    } catch (error) {
      const again = isBelayError(error, "lock_not_obtained") && error.details.startAgain === true;
      if (!again || round >= mostRounds || attempt.patience.left() <= 0) throw error;
      attempt.belay.report({ phase: "lock", message: `starting again: ${error.message}` });
    }
  }
}

/** A fresh connection for every attempt: the server's counters may still hold what an aborted one did. */
async function withSession(attempt: Attempt, widen: ReadonlySet<number>): Promise<RollbackReport> {
  const session = await openWorker(attempt.belay, "belay rollback");
  const stop = await startWatchdog(attempt.belay, attempt.control, session, attempt.belay.settings.idleMs);
  try {
    await watchClient(session);
    return await runAttempt(attempt, session, widen);
  } finally {
    await stop();
    await session.close().catch(() => {});
  }
}
