import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { isLockTimeout, lockedOut } from "../plan/planning-blocked.ts";
import type { PolicyGate } from "../plan/policy.ts";
import { parseWaivers } from "../plan/waivers.ts";
import { openPlanner } from "../transaction/control.ts";
import { findRollback } from "./find.ts";
import { makeUndoPlan } from "./make-plan.ts";
import type { UndoPlan } from "./plan-types.ts";
import { readArchiveFact } from "./undo-archive.ts";
import { gatherUndoFacts, type PlanUndoRequest, type UndoFacts } from "./undo-facts.ts";

/** Gates of an undo that the policy may let be waived. */
const waivable: readonly string[] = ["approved", "maintenance_window"];

/**
 * Tells what undoing a rollback would do; changes nothing and locks nothing but the catalogs for reading. Conflicts and
 * failed gates are part of the plan. Throws `unknown_rollback`, `usage`, `lock_not_obtained` (a table is held
 * exclusively), a store's or a database error.
 */
export async function planUndo(belay: Belay, request: PlanUndoRequest): Promise<UndoPlan> {
  return (await planUndoWithFacts(belay, request)).plan;
}

/** The plan with what it was made from. */
export async function planUndoWithFacts(
  belay: Belay,
  request: PlanUndoRequest,
): Promise<{ plan: UndoPlan; facts: UndoFacts }> {
  const { policy } = belay.settings;
  const waive = undoWaivers(belay, request.waive);
  const session = await openPlanner(belay);
  try {
    const facts = await readFacts(session, belay, request);
    return { plan: makeUndoPlan(facts, { policy, waive }), facts };
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    const asked = request.rollbackId ?? request.migration ?? "latest";
    throw await lockedOut(belay, { subject: `the undo of ${asked}`, migration: asked, end: null }, error);
  } finally {
    await session.close();
  }
}

/** Throws `usage` for gates that cannot be waived. */
export function undoWaivers({ settings }: Belay, names: readonly string[] = []): PolicyGate[] {
  const wrong = names.filter((name) => !waivable.includes(name));
  if (wrong.length > 0)
    throw new BelayError("usage", `gate ${wrong.join(", ")} of an undo cannot be waived`, {
      hint: `These can: ${waivable.join(", ")}.`,
    });
  return parseWaivers(names, settings.policy);
}

async function readFacts(session: Session, belay: Belay, request: PlanUndoRequest): Promise<UndoFacts> {
  await requireBelay(session);
  const found = await findRollback(session, belay.store, request);
  const archive = await readArchiveFact(belay.store, found);
  await session.run("begin isolation level repeatable read read only");
  const facts = await gatherUndoFacts(session, belay, { request, found, archive, foretell: true });
  await session.run("rollback");
  return facts;
}
