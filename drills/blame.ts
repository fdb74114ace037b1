import { isBelayError } from "../shared/errors.ts";
import { sqlStateOf } from "../shared/postgres/errors.ts";
import { type Finding, failed } from "./checks/check.ts";

const damaged = new Set(["archive_invalid", "archive_unverified", "store_missing_object", "unsupported_kind"]);

/** SQLSTATEs of a scratch server that lacks something: a role, an extension's file, a feature, a locale. */
const lacking = new Set(["42704", "58P01", "0A000", "22023"]);

/** SQLSTATE classes that say nothing about the archive: connection, resources, operator, system, configuration. */
const elsewhere = /^(08|53|57|58|F0|XX)/;

/** Who is to blame for an error while an archive was read or restored: unclassified errors turn the backup red. */
export function explainError(error: unknown): Finding {
  const message = error instanceof Error ? error.message : "unknown error";
  if (isBelayError(error)) {
    if (damaged.has(error.code)) return failed(message);
    if (/^(store_|database_unreachable|database_auth|connection_lost|scratch_|needs_worker)/.test(error.code))
      return failed(message, "inconclusive");
  }
  const state = stateBehind(error);
  if (state !== undefined && lacking.has(state)) return failed(message, "environment_mismatch");
  if (state !== undefined && elsewhere.test(state)) return failed(message, "inconclusive");
  return failed(message);
}

function stateBehind(error: unknown): string | undefined {
  const stated = isBelayError(error) ? error.details.sqlstate : undefined;
  if (typeof stated === "string") return stated;
  const own = sqlStateOf(error);
  if (own !== undefined) return own;
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause === undefined || cause === null ? undefined : stateBehind(cause);
}
