import { z } from "zod";
import { sealRecordsApart } from "../../audit/seal-records.ts";
import { appendAudit } from "../../audit.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { inTransaction } from "../../migrations/transaction.ts";
import { withSession } from "../../with-session.ts";
import { checkHash } from "../execute/preconditions.ts";
import { hours } from "../plan/gates/age.ts";
import { rowsAtStake } from "../plan/growth.ts";
import { type PlanRequest, planRollback } from "../plan/plan-rollback.ts";
import { type Plan, riskSchema } from "../types.ts";

/** An approval on record. */
export const approvalSchema = z.object({
  approvalId: z.string(),
  planHash: z.string(),
  migration: z.string(),
  migrations: z.array(z.string()),
  risk: riskSchema,
  /** Rows that would go, as the approver saw. */
  rows: z.number().int(),
  actor: z.string(),
  /** Database role of the connection: without a signed-in user it tells persons apart. */
  databaseRole: z.string(),
  signedIn: z.boolean(),
  reason: z.string(),
  approvedAt: z.string(),
  expiresAt: z.string(),
  /** What else stands in the way of the rollback. */
  blocking: z.array(z.object({ gate: z.string(), evidence: z.string(), next: z.string().nullable() })),
});
export type Approval = z.infer<typeof approvalSchema>;

export interface ApproveRequest extends PlanRequest {
  /** Hash of the plan that was looked at. */
  readonly planHash: string;
  readonly reason: string;
}

/**
 * Puts on record that somebody agrees to a plan, with the audit row. Throws `plan_changed` when the plan is no longer
 * the one that was looked at, `usage` without a reason.
 */
export async function approvePlan(belay: Belay, request: ApproveRequest): Promise<Approval> {
  const reason = request.reason.trim();
  if (reason === "") throw new BelayError("usage", "an approval needs a reason", { hint: 'Say why: --reason "...".' });
  const plan = await planRollback(belay, { ...request, reason: undefined });
  checkHash(plan, request.planHash);
  const policy = request.policy ?? belay.settings.policy;
  const row = await recordApproval(belay, { ...plan, rows: rowsAtStake(plan.effect) }, reason);
  await sealRecordsApart(belay);
  return {
    approvalId: row.id,
    planHash: plan.hash,
    migration: plan.migration,
    migrations: plan.migrations.map(({ migration }) => migration),
    risk: plan.risk,
    rows: rowsAtStake(plan.effect),
    actor: belay.actor,
    databaseRole: row.role,
    signedIn: belay.subject !== undefined,
    reason,
    approvedAt: row.at.toISOString(),
    expiresAt: new Date(row.at.getTime() + hours(policy.approvals.maxAgeHours)).toISOString(),
    blocking: plan.gates
      .filter(({ blocking, name }) => blocking && name !== "approved")
      .map(({ name, evidence, next }) => ({ gate: name, evidence, next })),
  };
}

/** What is approved: a plan of a rollback or of an undo. */
type Approved = Pick<Plan, "hash" | "migration" | "risk"> & { readonly rows: number };

/** Writes the approval with its audit row. */
export function recordApproval(
  belay: Belay,
  plan: Approved,
  reason: string,
): Promise<{ id: string; role: string; at: Date }> {
  const { rows } = plan;
  return withSession(belay, "belay approve", (session) =>
    inTransaction(session, "recording an approval", async () => {
      const [row] = await session.sql`
        insert into belay.approvals (plan_hash, migration_name, actor, subject, decision, reason, rows)
        values (${plan.hash}, ${plan.migration}, ${belay.actor}, ${belay.subject ?? null}, 'approved', ${reason}, ${rows})
        returning id, database_role::text as role, created_at as at`;
      await appendAudit(session, {
        actor: belay.actor,
        action: "plan.approved",
        subject: plan.migration,
        details: {
          planHash: plan.hash,
          risk: plan.risk,
          rows,
          reason,
          databaseRole: row!.role,
          subject: belay.subject ?? null,
        },
      });
      return row as unknown as { id: string; role: string; at: Date };
    }),
  );
}
