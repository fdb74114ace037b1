import { createHash } from "node:crypto";
import type { Context } from "hono";
import type { Belay } from "../shared/context.ts";
import type { Sql } from "../shared/postgres/session.ts";
import { claimRequest, type IdempotentRequest, recordAnswer, releaseRequest } from "../shared/requests/idempotency.ts";
import { withSession } from "../shared/with-session.ts";
import { HttpError, problemOf } from "./problem.ts";

interface Once {
  readonly c: Context;
  readonly belay: Belay;
  readonly subject: string;
  readonly key: string;
  readonly text: string;
  readonly status: 200 | 201 | 202;
  run(): Promise<unknown>;
}

/**
 * Runs a request at most once per caller and Idempotency-Key: the same request gets the same answer again, another
 * request under the key is refused. An answer of 500 or more is not kept, so that it can be tried again.
 */
export async function answerOnce({ c, belay, subject, key, text, status, run }: Once): Promise<Response> {
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new HttpError("body_invalid", "the Idempotency-Key is not 1 to 255 printable characters");
  const requestSha256 = createHash("sha256").update(`${c.req.method}\n${c.req.path}\n${text}`).digest("hex");
  const request: IdempotentRequest = { actor: subject, key, requestSha256 };
  const claim = await withSql(belay, (sql) => claimRequest(sql, request));
  if (claim.state === "other_request")
    throw new HttpError("idempotency_key_reused", "this Idempotency-Key belongs to another request", "Use a new key.");
  if (claim.state === "running")
    throw new HttpError(
      "idempotency_in_progress",
      "the first request with this Idempotency-Key has not ended",
      "Ask again later.",
    );
  if (claim.state === "answered") return json(claim.body, claim.status, { "idempotency-replayed": "true" });
  return runFirst(c, belay, request, status, run);
}

async function runFirst(
  c: Context,
  belay: Belay,
  request: IdempotentRequest,
  status: number,
  run: () => Promise<unknown>,
): Promise<Response> {
  try {
    const body = await run();
    await withSql(belay, (sql) => recordAnswer(sql, request, status, body));
    return json(body, status);
  } catch (error) {
    const problem = problemOf(error, c.get("requestId") as string);
    await withSql(belay, (sql) =>
      problem.status >= 500 ? releaseRequest(sql, request) : recordAnswer(sql, request, problem.status, problem),
    ).catch(() => {});
    throw error;
  }
}

function withSql<T>(belay: Belay, work: (sql: Sql) => Promise<T>): Promise<T> {
  return withSession(belay, "belay idempotency", (session) => work(session.sql));
}

function json(body: unknown, status: number, headers: Record<string, string> = {}): Response {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": type, "cache-control": "no-store", ...headers },
  });
}
