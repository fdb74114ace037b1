import { BelayError, type ErrorCode } from "../../errors.ts";
import { plural } from "../../words.ts";
import { approvedGrowth } from "../plan/growth.ts";
import type { Policy } from "../plan/policy.ts";
import { rowsReplaced, undoSubject } from "./make-plan.ts";
import type { UndoGate, UndoPlan } from "./plan-types.ts";

/** Throws `plan_changed` when the plan is not the approved one, or as `requireUnblocked`. */
export function checkUndoPlan(plan: UndoPlan, approvedHash: string | undefined): void {
  requireSameUndo(plan, approvedHash);
  requireUnblocked(plan);
}

/** Throws `plan_changed` when the plan is not the one of that hash. */
export function requireSameUndo(plan: UndoPlan, approvedHash: string | undefined): void {
  if (approvedHash === undefined || approvedHash === plan.hash) return;
  throw new BelayError(
    "plan_changed",
    `the plan for undoing ${undoSubject(plan)} is no longer the one that was approved`,
    {
      hint: "Plan again (--dry-run), look at what changed, and execute with the new hash.",
      details: { approved: approvedHash, now: plan.hash },
    },
  );
}

/** Throws `undo_conflict`, `archive_invalid` or `gate_failed` naming each gate in the way, its evidence and next step. */
export function requireUnblocked(plan: UndoPlan): void {
  const blocking = plan.gates.filter((gate) => gate.blocking);
  if (blocking.length === 0) return;
  const said = blocking.map(({ name, evidence }) => (blocking.length === 1 ? evidence : `${name}: ${evidence}`));
  const next = blocking.flatMap((gate) => (gate.next === null ? [] : [gate.next]));
  throw new BelayError(
    codeOf(blocking),
    `${undoSubject(plan)} is not undone:${said.length === 1 ? ` ${said[0]}` : `\n${said.join("\n")}`}`,
    {
      hint: ["Nothing changed.", ...next].join("\n"),
      details: { conflicts: plan.conflicts.filter(({ discarded }) => !discarded), gates: blocking },
    },
  );
}

function codeOf(blocking: readonly UndoGate[]): ErrorCode {
  const names = new Set(blocking.map(({ name }) => name));
  if (names.has("status") || names.has("order") || names.has("conflicts")) return "undo_conflict";
  return names.has("archive") ? "archive_invalid" : "gate_failed";
}

/** Throws `plan_changed` when more rows would be written over than the policy lets grow on what was planned. */
export function checkUndoGrowth(plan: UndoPlan, planned: number, policy: Pick<Policy, "growth">): void {
  const [rows, most] = [rowsReplaced(plan.replaces), approvedGrowth(planned, policy)];
  if (rows <= most) return;
  throw new BelayError(
    "plan_changed",
    `${plural(rows, "row")} would be written over now, and ${plural(planned, "row")} when it was planned: the policy allows ${plural(most, "row")}`,
    { hint: "Plan again and look at what would go now.", details: { planned, now: rows, allowed: most } },
  );
}
