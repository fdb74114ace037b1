import { sealRecordsApart } from "../../audit/seal-records.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { type Approval, recordApproval } from "../agree/approve.ts";
import { hours } from "../plan/gates/age.ts";
import { requireSameUndo } from "./blocked.ts";
import { rowsReplaced } from "./make-plan.ts";
import { planUndo } from "./plan-undo.ts";
import type { PlanUndoRequest } from "./undo-facts.ts";

export interface ApproveUndoRequest extends PlanUndoRequest {
  /** Hash of the plan that was looked at. */
  readonly planHash: string;
  readonly reason: string;
}

/**
 * Puts on record that somebody agrees to the plan of an undo, with the audit row. Throws `plan_changed` when it is no
 * longer the one that was looked at, `usage` without a reason.
 */
export async function approveUndo(belay: Belay, request: ApproveUndoRequest): Promise<Approval> {
  const reason = request.reason.trim();
  if (reason === "") throw new BelayError("usage", "an approval needs a reason", { hint: 'Say why: --reason "...".' });
  const { reason: _why, ...target } = request;
  const plan = await planUndo(belay, target);
  requireSameUndo(plan, request.planHash);
  const rows = rowsReplaced(plan.replaces);
  const row = await recordApproval(belay, { ...plan, rows }, reason);
  await sealRecordsApart(belay);
  return {
    approvalId: row.id,
    planHash: plan.hash,
    migration: plan.migration,
    migrations: plan.migrations,
    risk: plan.risk,
    rows,
    actor: belay.actor,
    databaseRole: row.role,
    signedIn: belay.subject !== undefined,
    reason,
    approvedAt: row.at.toISOString(),
    expiresAt: new Date(row.at.getTime() + hours(belay.settings.policy.approvals.maxAgeHours)).toISOString(),
    blocking: plan.gates
      .filter(({ blocking, name }) => blocking && name !== "approved")
      .map(({ name, evidence, next }) => ({ gate: name, evidence, next })),
  };
}
