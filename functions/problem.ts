import { type ErrorCode, isBelayError } from "../shared/errors.ts";

/** Refusals that only HTTP knows; together with ErrorCode they are the stable `code` of a problem document. */
export type HttpCode =
  | "route_not_found"
  | "method_not_allowed"
  | "body_too_large"
  | "body_invalid"
  | "idempotency_key_reused"
  | "idempotency_in_progress";

export type ProblemCode = ErrorCode | HttpCode;

/** RFC 9457 problem document with a stable `code`. Never holds a stack trace or a secret. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly hint?: string;
  readonly requestId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export class HttpError extends Error {
  readonly code: HttpCode;
  readonly hint: string | undefined;

  constructor(code: HttpCode, message: string, hint?: string) {
    super(message);
    this.name = "HttpError";
    this.code = code;
    this.hint = hint;
  }
}

const meanings: Record<ProblemCode, readonly [status: number, title: string]> = {
  usage: [400, "The request is not valid"],
  unknown_migration: [404, "Unknown migration"],
  unknown_rollback: [404, "Unknown rollback"],
  unknown_deployment: [404, "Unknown deployment"],
  unknown_archive: [404, "Unknown archive"],
  unknown_drill: [404, "Unknown drill"],
  layout_invalid: [422, "The migrations folder is not valid"],
  sql_syntax: [422, "The rollback SQL has a syntax error"],
  not_transactional: [422, "The rollback SQL cannot run in a transaction"],
  unsupported_kind: [422, "A kind of object is not supported"],
  gate_failed: [409, "A gate stands in the way"],
  plan_changed: [409, "The plan is no longer current"],
  already_rolled_back: [409, "Already rolled back"],
  undo_conflict: [409, "The undo meets a conflict"],
  needs_worker: [422, "Too large for this place"],
  rollback_in_progress: [409, "Another rollback is running"],
  lock_not_obtained: [503, "A lock was not obtained"],
  guard_loss: [422, "The rollback would lose what is not archived"],
  end_state_differs: [422, "The rollback does not end where the migration began"],
  sql_failed: [422, "The rollback SQL failed"],
  row_security: [500, "Row-level security hides rows"],
  database_unreachable: [503, "The database does not answer"],
  database_auth: [500, "The database refused the login"],
  database_error: [500, "The database reported an error"],
  belay_not_installed: [500, "Belay is not installed in the database"],
  transaction_pooler: [500, "A direct connection is needed"],
  connection_lost: [503, "The connection was lost"],
  store_unreachable: [503, "The archive store does not answer"],
  store_denied: [500, "The archive store refused the credentials"],
  store_missing_bucket: [500, "The archive store's bucket is missing"],
  store_missing_object: [502, "An object is missing in the archive store"],
  store_exists: [409, "The object is already in the archive store"],
  store_failed: [502, "The archive store failed"],
  archive_invalid: [422, "The archive is damaged"],
  archive_unverified: [502, "The archive could not be verified"],
  drill_failed: [422, "The drill failed"],
  scratch_unavailable: [503, "No scratch database can be made"],
  restore_target: [409, "The database cannot be restored into"],
  unauthenticated: [401, "Sign in first"],
  forbidden: [403, "Not allowed"],
  signature_invalid: [401, "The signature is not valid"],
  replayed: [409, "Already received"],
  notification_failed: [502, "The team's address did not take the message"],
  hook_failed: [502, "A hook did not take the call"],
  internal: [500, "Something went wrong inside"],
  route_not_found: [404, "No such route"],
  method_not_allowed: [405, "Method not allowed"],
  body_too_large: [413, "The body is too large"],
  body_invalid: [400, "The body cannot be read"],
  idempotency_key_reused: [422, "The idempotency key was used for another request"],
  idempotency_in_progress: [409, "The first request with this key is still running"],
};

/** HTTP status of a code; exhaustive, so a new code does not compile until it is decided here. */
export function httpStatus(code: ProblemCode): number {
  return meanings[code][0];
}

/** What an error says to the outside. An error that Belay did not make says only `internal`. */
export function problemOf(error: unknown, requestId?: string): Problem {
  if (error instanceof HttpError) return make(error.code, error.message, error.hint, undefined, requestId);
  if (isBelayError(error)) return make(error.code, error.message, error.hint, error.details, requestId);
  return make(
    "internal",
    "the request failed inside Belay",
    "Look in the function's log for this request id.",
    undefined,
    requestId,
  );
}

export function problemResponse(error: unknown, requestId?: string): Response {
  const problem = problemOf(error, requestId);
  const headers: Record<string, string> = { "content-type": "application/problem+json", "cache-control": "no-store" };
  if (problem.status === 401 && problem.code === "unauthenticated") headers["www-authenticate"] = "Bearer";
  if (problem.status === 503) headers["retry-after"] = "5";
  return new Response(JSON.stringify(problem, bigintAsText), { status: problem.status, headers });
}

function make(
  code: ProblemCode,
  detail: string,
  hint: string | undefined,
  details: Readonly<Record<string, unknown>> | undefined,
  requestId: string | undefined,
): Problem {
  const [status, title] = meanings[code];
  return {
    type: `urn:belay:problem:${code}`,
    title,
    status,
    detail,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(details === undefined || Object.keys(details).length === 0 ? {} : { details }),
  };
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
