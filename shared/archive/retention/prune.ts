import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { readLocks, readRetentionFacts } from "./facts.ts";
import { planRetention } from "./plan.ts";
import type { RetentionPolicy } from "./policy.ts";
import { type RemovedArchive, removeRecorded } from "./record-removals.ts";
import { brokenRemovals } from "./remove.ts";
import type { RetentionPlan } from "./types.ts";

export interface PrunePlan extends RetentionPlan {
  /** Archives whose removal was begun by an earlier run and broke off: no longer listed, and gone with the next run. */
  readonly broken: readonly string[];
  /** False when no database is set: nothing is known of drills and rollbacks. */
  readonly recordsKnown: boolean;
}

/** What a policy would remove now. Reads the store and, when one is set, the database; changes nothing. */
export async function planPrune(belay: Belay, policy: RetentionPolicy): Promise<PrunePlan> {
  const facts = await readRetentionFacts(belay);
  const broken = await brokenRemovals(belay.store, facts.survey.unfinished);
  const known = {
    ...facts,
    survey: { ...facts.survey, unfinished: facts.survey.unfinished.filter((id) => !broken.includes(id)) },
  };
  const first = planRetention(known, policy);
  const locked = await readLocks(belay.store, removalsOf(first));
  const plan = planRetention({ ...known, locked }, policy);
  return { ...plan, broken, recordsKnown: facts.records !== null };
}

/** Ids of the archives that a plan removes, oldest first: a run that breaks off has taken the oldest. */
export function removalsOf({ verdicts }: RetentionPlan): string[] {
  return verdicts
    .filter(({ action }) => action === "remove")
    .map(({ archive }) => archive.id)
    .reverse();
}

/**
 * Removes what a plan names, what broke off before first. Throws `gate_failed` when the plan refuses, or when nothing
 * is known of drills and `withoutRecords` does not say that this is meant; and the store's errors.
 */
export async function applyPrune(
  belay: Belay,
  plan: PrunePlan,
  options: { reason: string; withoutRecords: boolean },
): Promise<RemovedArchive[]> {
  if (plan.refusals.length > 0)
    throw new BelayError("gate_failed", `nothing is removed: ${plan.refusals.join("; ")}`, {
      hint: "Removing archives can wait. Settle this first.",
      details: { refusals: plan.refusals },
    });
  requireRecords(plan.recordsKnown, options.withoutRecords);
  const removal = { by: belay.actor, reason: options.reason, at: belay.now() };
  return await removeRecorded(belay, [...plan.broken, ...removalsOf(plan)], "archive.pruned", removal);
}

export function requireRecords(known: boolean, withoutRecords: boolean): void {
  if (known || withoutRecords) return;
  throw new BelayError(
    "gate_failed",
    "nothing is removed: without a database nobody knows which archive's drill passed",
    {
      hint: "Pass --database or set BELAY_DATABASE_URL; or --without-records if there is none: then the newest of each database is kept, and nothing is put on record.",
    },
  );
}
