import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import { listed } from "../../words.ts";
import { executeRollback, type RollbackRequest } from "../execute/execute.ts";
import type { Observe } from "../execute/types.ts";
import type { Around } from "../hooks/types.ts";
import type { Policy } from "../plan/policy.ts";
import type { RollbackReport } from "../types.ts";
import { runWithHooks } from "./run-with-hooks.ts";
import type { Ran } from "./types.ts";
import { undoWithHooks } from "./undo-with-hooks.ts";

export interface HookedRollbackRequest extends RollbackRequest {
  /** Switch maintenance on although the policy does not. */
  readonly maintenance?: boolean;
}

/**
 * Rolls back with maintenance, hooks, health checks, messages and an incident report. Throws what executeRollback throws, and
 * `hook_failed` when the before hook did not take the call; then nothing was changed.
 */
export function rollBackWithHooks(
  belay: Belay,
  { maintenance = false, ...request }: HookedRollbackRequest,
  observe: Observe = () => {},
): Promise<Ran> {
  const policy = request.policy ?? belay.settings.policy;
  return runWithHooks(
    belay,
    { kind: "rollback", reason: request.reason, policy, maintenance },
    {
      run: (look) => executeRollback(belay, request, look),
      undo: (report, around) => undoByPolicy(belay, policy, maintenance, report, around),
    },
    observe,
  );
}

/** Only for a check that passed before: what failed already is not the rollback's doing. */
async function undoByPolicy(
  belay: Belay,
  policy: Policy,
  maintenance: boolean,
  report: RollbackReport,
  { health }: Around,
): Promise<Ran["policyUndo"]> {
  if (health.verdict !== "failing" || policy.health.onFailure !== "undo") return null;
  const healthyBefore = new Set(health.before.filter(({ healthy }) => healthy).map(({ name }) => name));
  const failing = health.after.filter(({ name, healthy }) => !healthy && healthyBefore.has(name));
  const reason = `health check ${listed(failing.map(({ name, evidence }) => `${name} fails after the rollback (${evidence})`))}; by policy it is undone`;
  belay.report({ phase: "undo", message: reason });
  try {
    const { rollbackId } = await undoWithHooks(belay, { rollbackId: report.rollbackId, reason, maintenance });
    return { rollbackId, outcome: "committed", evidence: reason };
  } catch (error) {
    const rollbackId = isBelayError(error) ? String(error.details.rollbackId ?? "") : "";
    const why = isBelayError(error) ? `[${error.code}] ${error.message}` : "it failed inside Belay";
    return { rollbackId, outcome: "failed", evidence: `${reason}, and the undo failed: ${why}` };
  }
}
