/**
 * Every way in which Belay refuses or fails, as a closed set.
 * `httpStatus` in functions/problem.ts and `exitCode` in cli/exit.ts decide, exhaustively, what each means outside.
 */
export const errorCodes = [
  // what was asked
  "usage",
  "unknown_migration",
  "unknown_rollback",
  "unknown_deployment",
  "unknown_archive",
  "unknown_drill",
  "layout_invalid",
  "sql_syntax",
  "not_transactional",
  "unsupported_kind",
  // what stands in the way
  "gate_failed",
  "plan_changed",
  "already_rolled_back",
  "undo_conflict",
  "needs_worker",
  "rollback_in_progress",
  "lock_not_obtained",
  // what went wrong
  "guard_loss",
  "end_state_differs",
  "sql_failed",
  "row_security",
  "database_unreachable",
  "database_auth",
  "database_error",
  "belay_not_installed",
  "transaction_pooler",
  "connection_lost",
  "store_unreachable",
  "store_denied",
  "store_missing_bucket",
  "store_missing_object",
  "store_exists",
  "store_failed",
  "archive_invalid",
  "archive_unverified",
  "drill_failed",
  "scratch_unavailable",
  "restore_target",
  // who asked
  "unauthenticated",
  "forbidden",
  "signature_invalid",
  "replayed",
  "notification_failed",
  "hook_failed",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** The identifiers that an error is about, as fields: table, migration, gate, pid... Never secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * An error that a person can act on: `message` says what was attempted and which value was wrong,
 * `hint` what to do next.
 */
export class BelayError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "BelayError";
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

export function isBelayError(error: unknown, code?: ErrorCode): error is BelayError {
  return error instanceof BelayError && (code === undefined || error.code === code);
}
