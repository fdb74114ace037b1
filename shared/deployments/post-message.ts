import { BelayError } from "../errors.ts";
import { standardSignature } from "./signatures.ts";

const defaultTimeoutMs = 10_000;

export interface NotifyTarget {
  readonly url: string;
  /** `whsec_` and base64, several with a space between; null sends unsigned (a Slack address is itself the secret). */
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

/** What one request came to; `again`: another try may help. */
export interface Posted {
  /** null: no answer. */
  readonly status: number | null;
  readonly taken: boolean;
  readonly again: boolean;
  /** Never holds the address or the answer. */
  readonly evidence: string;
}

/** Posts Slack-compatible JSON, signed as Standard Webhooks. Answers the status, 2xx; throws when it was not accepted. */
export async function postMessage(target: NotifyTarget, message: TeamMessage, now: Date): Promise<number> {
  const { taken, status, evidence } = await postOnce(target, message, now);
  if (taken && status !== null) return status;
  throw new BelayError("notification_failed", `the notification address did not take the message: ${evidence}`, {
    hint: "Check BELAY_NOTIFY_URL.",
  });
}

/** As postMessage, but never throws. The body of the answer is not read: its size does not matter. */
export async function postOnce(
  target: NotifyTarget,
  { id, text, type, data }: TeamMessage,
  now: Date,
  timeoutMs: number = defaultTimeoutMs,
): Promise<Posted> {
  const body = new TextEncoder().encode(JSON.stringify({ text, type, timestamp: now.toISOString(), data }));
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
  };
  if (target.secret !== null) {
    const each = target.secret.split(" ").map((secret) => standardSignature(body, { id, timestamp }, secret));
    headers["webhook-signature"] = each.join(" ");
  }
  return await answerOf(target.url, { method: "POST", headers, body: body as BodyInit }, timeoutMs);
}

/** What an address answers within that time (milliseconds); redirects are not followed, the body is not read. */
export async function answerOf(url: string, request: RequestInit, timeoutMs: number): Promise<Posted> {
  try {
    const { address, headers } = withoutPassword(url, request.headers);
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(address, { ...request, headers, redirect: "manual", signal });
    void answer.body?.cancel().catch(() => {});
    const { status, ok } = answer;
    const redirected = status >= 300 && status < 400;
    const again = status === 408 || status === 425 || status === 429 || status >= 500;
    return {
      status,
      taken: ok,
      again,
      evidence: `it answered ${status}${redirected ? ", and redirects are not followed" : ""}`,
    };
  } catch (error) {
    return { status: null, taken: false, again: true, evidence: whyNot(error, timeoutMs) };
  }
}

/** fetch refuses an address with a user and password: they go into the header that they stand for. */
function withoutPassword(url: string, given: RequestInit["headers"]) {
  const address = new URL(url);
  const headers = new Headers(given);
  const { username, password } = address;
  if (username !== "" || password !== "") {
    const pair = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    headers.set("authorization", `Basic ${btoa(String.fromCharCode(...pair))}`);
  }
  address.username = "";
  address.password = "";
  return { address, headers };
}

/** Names of errors come from the runtime; their messages may hold the address. */
function whyNot(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError"))
    return `it did not answer within ${timeoutMs} ms`;
  const code = String(((error as Error).cause as { code?: unknown } | undefined)?.code ?? "");
  return /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? `it did not answer (${code})` : "it did not answer";
}
