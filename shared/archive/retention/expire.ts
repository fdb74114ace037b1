import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { type ExpiryPlan, planExpiry } from "./expiry.ts";
import { readLocks, readRetentionFacts } from "./facts.ts";
import { requireRecords } from "./prune.ts";
import { type RemovedArchive, removeRecorded } from "./record-removals.ts";

export interface ExpiryRequest {
  readonly id: string;
  readonly reason: string;
  /** The archive may go although a rollback could still be undone from it. */
  readonly giveUpUndo: boolean;
  /** Go on without a database. */
  readonly withoutRecords: boolean;
}

export interface PlannedExpiry extends ExpiryPlan {
  readonly recordsKnown: boolean;
}

/** Whether one archive may go by name. Changes nothing; throws `unknown_archive`. */
export async function lookAtExpiry(belay: Belay, request: ExpiryRequest): Promise<PlannedExpiry> {
  const facts = await readRetentionFacts(belay);
  const known = [...facts.survey.whole, ...facts.survey.damaged].some(({ id }) => id === request.id);
  const locked = known ? await readLocks(belay.store, [request.id]) : facts.locked;
  return { ...planExpiry({ ...facts, locked }, request.id, request), recordsKnown: facts.records !== null };
}

/** Removes one archive by name, with a reason on record. Throws `gate_failed` while something stands in the way. */
export async function expireArchive(
  belay: Belay,
  plan: PlannedExpiry,
  request: ExpiryRequest,
): Promise<RemovedArchive> {
  if (plan.blockers.length > 0)
    throw new BelayError("gate_failed", `the archive ${plan.id} stays: ${plan.blockers.join("; ")}`, {
      hint: "Nothing was removed.",
      details: { archive: plan.id, blockers: plan.blockers },
    });
  requireRecords(plan.recordsKnown, request.withoutRecords);
  const removal = { by: belay.actor, reason: request.reason, at: belay.now() };
  const [removed] = await removeRecorded(belay, [plan.id], "archive.expired", removal);
  return removed!;
}
