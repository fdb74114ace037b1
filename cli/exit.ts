import type { ErrorCode } from "../shared/errors.ts";
import type { Ran } from "../shared/rollback/incident/types.ts";

/** Exit codes of the command line: 0 done, 1 failed and nothing changed, 2 usage, 3 blocked by a gate, 4 lock not obtained, 5 drill not passed, 6 done, but a health check fails since. */
export const exit = { done: 0, failed: 1, usage: 2, blocked: 3, lock: 4, drill: 5, unhealthy: 6 } as const;

export type ExitCode = (typeof exit)[keyof typeof exit];

const byCode: Partial<Record<ErrorCode, ExitCode>> = {
  usage: exit.usage,
  unknown_migration: exit.usage,
  unknown_rollback: exit.usage,
  unknown_deployment: exit.usage,
  unknown_archive: exit.usage,
  unknown_drill: exit.usage,
  layout_invalid: exit.usage,
  gate_failed: exit.blocked,
  plan_changed: exit.blocked,
  already_rolled_back: exit.blocked,
  undo_conflict: exit.blocked,
  sql_syntax: exit.blocked,
  not_transactional: exit.blocked,
  unsupported_kind: exit.blocked,
  restore_target: exit.blocked,
  needs_worker: exit.blocked,
  lock_not_obtained: exit.lock,
  rollback_in_progress: exit.lock,
  drill_failed: exit.drill,
};

/** Of a rollback or an undo that came to its end; undone by policy, nothing changed. */
export function exitCodeOfRun({ policyUndo, around }: Pick<Ran, "policyUndo" | "around">): ExitCode {
  if (policyUndo?.outcome === "committed") return exit.failed;
  return around.health.verdict === "failing" ? exit.unhealthy : exit.done;
}

export function exitCodeOf(code: ErrorCode): ExitCode {
  return byCode[code] ?? exit.failed;
}
