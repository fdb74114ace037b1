import { BelayError } from "../errors.ts";
import { standardSignature } from "./signatures.ts";
import type { DeploymentPlan } from "./types.ts";

const timeoutMs = 10_000;

export interface NotifyTarget {
  readonly url: string;
  /** `whsec_` and base64; null sends unsigned (a Slack address is itself the secret). */
  readonly secret: string | null;
}

export interface FailureNotice {
  readonly deploymentId: string;
  readonly platform: string;
  readonly externalId: string;
  readonly target: string | null;
  readonly occurredAt: string;
  readonly lastGoodAt: string | null;
  readonly plans: readonly DeploymentPlan[];
}

/** Posts the notice as Slack-compatible JSON, signed by Standard Webhooks. Throws when it was not accepted. */
export async function sendNotice(target: NotifyTarget, notice: FailureNotice, now: Date): Promise<void> {
  const body = new TextEncoder().encode(
    JSON.stringify({
      text: noticeText(notice),
      type: "belay.deployment_failed",
      timestamp: now.toISOString(),
      data: notice,
    }),
  );
  const id = `belay_${notice.deploymentId}`;
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
  };
  if (target.secret !== null) headers["webhook-signature"] = standardSignature(body, { id, timestamp }, target.secret);
  const answer = await post(target.url, headers, body);
  await answer.body?.cancel();
  if (!answer.ok) throw notSent(`it answered ${answer.status}`);
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

async function post(url: string, headers: Record<string, string>, body: Uint8Array): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers,
      body: body as BodyInit,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw notSent("it did not answer", error);
  }
}

function notSent(why: string, cause?: unknown): BelayError {
  return new BelayError("internal", `the notification address did not take the message: ${why}`, {
    hint: "Check BELAY_NOTIFY_URL.",
    cause,
  });
}
