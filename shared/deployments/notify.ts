import { type NotifyTarget, postMessage } from "./post-message.ts";
import type { DeploymentPlan } from "./types.ts";

export interface FailureNotice {
  readonly deploymentId: string;
  readonly platform: string;
  readonly externalId: string;
  readonly target: string | null;
  readonly occurredAt: string;
  readonly lastGoodAt: string | null;
  readonly plans: readonly DeploymentPlan[];
}

/** Posts the notice as Slack-compatible JSON, signed by Standard Webhooks. Answers the status; throws when it was not accepted. */
export async function sendNotice(target: NotifyTarget, notice: FailureNotice, now: Date): Promise<number> {
  const id = `belay_${notice.deploymentId}`;
  return await postMessage(
    target,
    { id, type: "belay.deployment_failed", text: noticeText(notice), data: notice },
    now,
  );
}

/** The notice in words: what failed, which migrations came with it, what each rollback would take. */
export function noticeText(notice: FailureNotice): string {
  const where = notice.target ?? "an unnamed target";
  const head = `Deployment ${notice.externalId} to ${where} failed (${notice.platform}, ${notice.occurredAt}).`;
  const since =
    notice.lastGoodAt === null ? "in the last 24 hours (no good deployment is known)" : `since ${notice.lastGoodAt}`;
  if (notice.plans.length === 0) return `${head} No migration was applied ${since}: roll back the application only.`;
  const lines = notice.plans.map((plan) =>
    plan.canRollBack
      ? `• ${plan.migration}: can roll back, risk ${plan.risk}`
      : `• ${plan.migration}: cannot roll back: ${plan.blockingReason ?? "unknown reason"}`,
  );
  return [`${head} Migrations applied ${since}, newest first:`, ...lines, "Nothing was changed."].join("\n");
}
