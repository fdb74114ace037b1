import { isBelayError } from "../shared/errors.ts";
import { sqlStateOf } from "../shared/postgres/errors.ts";
import { type Finding, failed } from "./checks/check.ts";

const elsewhere = /^(store_(?!missing_object)|database_unreachable|database_auth|connection_lost|needs_worker)/;

/** SQLSTATEs of a server whose version or extension files lack something, and of a role that may not do what it takes. */
const lacking = new Set(["58P01", "0A000", "42501"]);

/** SQLSTATE classes of connection, resources, operator, system and configuration: they say nothing of the archive. */
const resources = /^(08|53|57|58|F0)/;

/** Who is to blame for an error while an archive was read or restored: an error of no known kind turns the backup red. */
export function explainError(error: unknown): Finding {
  const message = error instanceof Error ? error.message : "unknown error";
  const state = stateBehind(error);
  const unfit = isBelayError(error, "scratch_unavailable") || isBelayError(error, "restore_target");
  if (unfit || (state !== undefined && lacking.has(state))) return failed(message, "environment_mismatch");
  if (isBelayError(error) && elsewhere.test(error.code)) return failed(message, "inconclusive");
  if (state !== undefined && resources.test(state)) return failed(message, "inconclusive");
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
