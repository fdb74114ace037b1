import { type AuditRecord, appendAudit } from "../audit.ts";
import type { Belay } from "../context.ts";
import { isBelayError } from "../errors.ts";
import { inTransaction } from "../migrations/transaction.ts";
import type { Session } from "../postgres/session.ts";
import { recordNotification } from "../rollback/agree/tell-team.ts";
import { planRollback } from "../rollback/plan/plan-rollback.ts";
import { withSession } from "../with-session.ts";
import { type FailureNotice, sendNotice } from "./notify.ts";
import type { NotifyTarget } from "./post-message.ts";
import { migrationsSinceLastGood } from "./suspects.ts";
import type { DeploymentPlan } from "./types.ts";

/**
 * Plans the rollback of what came with each failed production deployment, records the plans and tells the team.
 * Deployments whose notification failed within the last day are tried again. Returns the ids that were settled.
 */
export async function respondToFailures(belay: Belay, notify: NotifyTarget | null): Promise<string[]> {
  return withSession(belay, "belay deployments", async (session) => {
    const settled: string[] = [];
    for (const id of await pendingFailures(session, notify !== null))
      if (await inTransaction(session, "answering a failed deployment", () => respond(belay, session, id, notify)))
        settled.push(id);
    return settled;
  });
}

/** Vercel names every production deployment; where a sender names no target, production is assumed. */
async function pendingFailures(session: Session, notifies: boolean): Promise<string[]> {
  const rows = await session.sql`
    select id from belay.deployments d
    where status = 'failed' and notified_at is null
      and (target = 'production' or (target is null and platform = 'standard'))
      and created_at > now() - interval '1 day'
      and (${notifies} or not exists (
        select from belay.audit_log a where a.action = 'deployment.planned' and a.subject = d.id::text))
    order by created_at`;
  return rows.map((row) => row.id as string);
}

/** The row's lock keeps a second worker off the same deployment; a worker that dies gives it back. */
async function respond(belay: Belay, session: Session, id: string, target: NotifyTarget | null): Promise<boolean> {
  const { sql } = session;
  const [row] = await sql`
    select platform, external_id, target, occurred_at from belay.deployments
    where id = ${id} and notified_at is null for update skip locked`;
  if (row === undefined) return false;
  const suspects = await migrationsSinceLastGood(sql, { target: row.target, occurredAt: row.occurred_at });
  const plans: DeploymentPlan[] = [];
  for (const migration of suspects.migrations) plans.push(await planOf(belay, migration));
  const notice: FailureNotice = {
    deploymentId: id,
    platform: row.platform,
    externalId: row.external_id,
    target: row.target,
    occurredAt: row.occurred_at.toISOString(),
    lastGoodAt: suspects.lastGoodAt,
    plans,
  };
  const told = target === null ? "no_address" : await tell(belay, target, notice);
  await sql`
    update belay.deployments set plans = ${sql.json(plans)},
      notified_at = case when ${typeof told === "number"} then now() end
    where id = ${id}`;
  if (target !== null && typeof told === "number") await recordTold(belay, session, target, plans, told);
  // The audit row comes last: its lock, which rollbacks also wait for, is not held while the network answers.
  await appendAudit(session, auditOf(belay.actor, notice, told));
  return told !== "failed";
}

/** The status of the address that took it. */
type Told = number | "failed" | "no_address";

/** The notice names each plan: it counts as evidence that the team knows of it. */
async function recordTold(
  belay: Belay,
  session: Session,
  target: NotifyTarget,
  plans: readonly DeploymentPlan[],
  status: number,
): Promise<void> {
  const address = new URL(target.url).host;
  for (const { migration, planHash } of plans)
    if (planHash !== null)
      await recordNotification(session, { planHash, migration, address, status, actor: belay.actor });
}

async function tell(belay: Belay, target: NotifyTarget, notice: FailureNotice): Promise<Told> {
  try {
    return await sendNotice(target, notice, belay.now());
  } catch {
    return "failed";
  }
}

function auditOf(actor: string, notice: FailureNotice, told: Told): AuditRecord {
  const { deploymentId, platform, externalId, plans } = notice;
  const planned = plans.map(({ migration, planHash }) => ({ migration, planHash }));
  return {
    actor,
    action: "deployment.planned",
    subject: deploymentId,
    details: { platform, externalId, plans: planned, notification: typeof told === "number" ? "sent" : told },
  };
}

/** A migration that cannot be planned is part of the answer, not a reason to give none. */
async function planOf(belay: Belay, migration: string): Promise<DeploymentPlan> {
  try {
    const plan = await planRollback(belay, { migration });
    return {
      migration,
      planHash: plan.hash,
      risk: plan.risk,
      canRollBack: plan.canRollBack,
      blockingReason: plan.blockingReason,
    };
  } catch (error) {
    const why = isBelayError(error) ? error.message : "the plan failed";
    return { migration, planHash: null, risk: null, canRollBack: false, blockingReason: why };
  }
}
