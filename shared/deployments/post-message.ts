import { BelayError } from "../errors.ts";
import { standardSignature } from "./signatures.ts";

const timeoutMs = 10_000;

export interface NotifyTarget {
  readonly url: string;
  /** `whsec_` and base64; null sends unsigned (a Slack address is itself the secret). */
  readonly secret: string | null;
}

export interface TeamMessage {
  /** Unique: whoever receives it twice can tell. */
  readonly id: string;
  readonly type: string;
  /** For people; Slack shows it. */
  readonly text: string;
  readonly data: unknown;
}

/** Posts Slack-compatible JSON, signed as Standard Webhooks. Answers the status, 2xx; throws when it was not accepted. */
export async function postMessage(target: NotifyTarget, message: TeamMessage, now: Date): Promise<number> {
  const { id, text, type, data } = message;
  const body = new TextEncoder().encode(JSON.stringify({ text, type, timestamp: now.toISOString(), data }));
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
  return answer.status;
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
  return new BelayError("notification_failed", `the notification address did not take the message: ${why}`, {
    hint: "Check BELAY_NOTIFY_URL.",
    cause,
  });
}
