import type { Sql } from "../postgres/session.ts";

/** Minutes after which a request that left no answer counts as dead: longer than any function may run. */
const abandonedAfterMinutes = 15;

export type IdempotencyClaim =
  | { readonly state: "first" }
  | { readonly state: "answered"; readonly status: number; readonly body: unknown }
  | { readonly state: "running" }
  | { readonly state: "other_request" };

export interface IdempotentRequest {
  readonly actor: string;
  readonly key: string;
  /** sha256 (hex) over method, path and body. */
  readonly requestSha256: string;
}

/** Takes the key for this request, or says what the request that has it did. */
export async function claimRequest(sql: Sql, request: IdempotentRequest): Promise<IdempotencyClaim> {
  const taken = await sql`
    insert into belay.idempotency_keys as k (actor, key, request_sha256)
    values (${request.actor}, ${request.key}, ${request.requestSha256})
    on conflict (actor, key) do update set created_at = now()
      where k.status is null and k.request_sha256 = excluded.request_sha256
        and k.created_at < now() - make_interval(mins => ${abandonedAfterMinutes})
    returning 1`;
  if (taken.length === 1) return { state: "first" };
  const [row] = await sql`
    select request_sha256, status, response from belay.idempotency_keys
    where actor = ${request.actor} and key = ${request.key}`;
  if (row === undefined) return { state: "running" };
  if (row.request_sha256 !== request.requestSha256) return { state: "other_request" };
  if (row.status === null) return { state: "running" };
  return { state: "answered", status: row.status, body: row.response };
}

/** Keeps the answer for the next request with the same key. */
export async function recordAnswer(sql: Sql, request: IdempotentRequest, status: number, body: unknown): Promise<void> {
  await sql`
    update belay.idempotency_keys set status = ${status}, response = ${sql.json(body as never)}
    where actor = ${request.actor} and key = ${request.key}`;
}

/** Gives the key back, so that the same request can be tried again. */
export async function releaseRequest(sql: Sql, request: IdempotentRequest): Promise<void> {
  await sql`
    delete from belay.idempotency_keys
    where actor = ${request.actor} and key = ${request.key} and status is null`;
}
