import { z } from "zod";
import { appendAudit } from "../../audit.ts";
import type { Belay } from "../../context.ts";
import { type NotifyTarget, postMessage } from "../../deployments/post-message.ts";
import { BelayError } from "../../errors.ts";
import { inTransaction } from "../../migrations/transaction.ts";
import type { Session } from "../../postgres/session.ts";
import { withSession } from "../../with-session.ts";
import { plural } from "../../words.ts";
import { rowsAtStake } from "../plan/growth.ts";
import { type PlanRequest, planRollback } from "../plan/plan-rollback.ts";
import type { Plan } from "../types.ts";

/** A message that the team's address took. */
export const notificationSchema = z.object({
  planHash: z.string(),
  migration: z.string(),
  /** Host of the address. */
  address: z.string(),
  status: z.number().int(),
  sentAt: z.string(),
});
export type Notification = z.infer<typeof notificationSchema>;

/**
 * Tells the team of a plan and puts on record that the address took it. Throws `usage` without an address, `notification_failed`
 * when the address did not answer with 2xx.
 */
export async function tellTeam(belay: Belay, target: NotifyTarget | null, request: PlanRequest): Promise<Notification> {
  if (target === null)
    throw new BelayError("usage", "no address of the team is set", {
      hint: "Set BELAY_NOTIFY_URL (a Slack-compatible address) and, to sign, BELAY_NOTIFY_SECRET.",
    });
  const plan = await planRollback(belay, request);
  const id = `belay_plan_${plan.hash.slice(0, 16)}_${belay.now().getTime()}`;
  const status = await postMessage(
    target,
    { id, type: "belay.plan", text: planText(plan, belay.actor, request.reason), data: dataOf(plan, belay.actor) },
    belay.now(),
  );
  const address = new URL(target.url).host;
  return await withSession(belay, "belay notify", (session) =>
    inTransaction(session, "recording a notification", async () => {
      const sentAt = await recordNotification(session, {
        planHash: plan.hash,
        migration: plan.migration,
        address,
        status,
        actor: belay.actor,
      });
      await appendAudit(session, {
        actor: belay.actor,
        action: "team.notified",
        subject: plan.migration,
        details: { planHash: plan.hash, address, status },
      });
      return { planHash: plan.hash, migration: plan.migration, address, status, sentAt };
    }),
  );
}

/** Puts a message on record that was answered 2xx; answers when. */
export async function recordNotification(
  session: Session,
  sent: {
    readonly planHash: string;
    readonly migration: string;
    readonly address: string;
    readonly status: number;
    readonly actor: string;
  },
): Promise<string> {
  const [row] = await session.sql`
    insert into belay.notifications (plan_hash, migration_name, address, status, actor)
    values (${sent.planHash}, ${sent.migration}, ${sent.address}, ${sent.status}, ${sent.actor}) returning sent_at`;
  return row!.sent_at.toISOString();
}

function planText(plan: Plan, actor: string, reason: string | undefined): string {
  const names = plan.migrations.map(({ migration }) => `• ${migration}`);
  const blocking = plan.gates.filter((gate) => gate.blocking).map(({ name, evidence }) => `  ${name}: ${evidence}`);
  return [
    `${actor} plans to roll back ${plural(names.length, "migration")}${reason === undefined ? "" : `: ${reason}`}`,
    ...names,
    `Risk ${plan.risk}: ${plan.riskReasons.join("; ")}. Rows that go into the archive: ${plural(rowsAtStake(plan.effect), "row")}.`,
    ...(blocking.length === 0 ? ["No gate stands in the way."] : ["In the way now:", ...blocking]),
    `Plan ${plan.hash}. Nothing was changed yet.`,
  ].join("\n");
}

function dataOf(plan: Plan, actor: string) {
  const { hash, migration, migrations, risk, riskReasons, verdict, canRollBack, blockingReason } = plan;
  return {
    planHash: hash,
    migration,
    migrations: migrations.map((each) => each.migration),
    actor,
    risk,
    riskReasons,
    verdict,
    rows: rowsAtStake(plan.effect),
    canRollBack,
    blockingReason,
  };
}
