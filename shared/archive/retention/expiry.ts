import { BelayError } from "../../errors.ts";
import { dumpsBySource, holds, lockReason } from "./plan.ts";
import type { RetentionFacts } from "./types.ts";

/** Whether one named archive may go now; `blockers` say what stands in the way. */
export interface ExpiryPlan {
  readonly id: string;
  /** null: its manifest is damaged. */
  readonly purpose: "dump" | "rollback" | "undo" | "quarantine" | null;
  readonly bytes: number | null;
  readonly blockers: readonly string[];
}

/**
 * Looks at one archive that a person wants gone: what only the policy keeps may go, a rollback's and a damaged one too.
 * Locks, the last good one of a database, and with it an undo that is still possible, stay. Throws `unknown_archive`.
 */
export function planExpiry(facts: RetentionFacts, id: string, options: { giveUpUndo: boolean }): ExpiryPlan {
  const damaged = facts.survey.damaged.find((one) => one.id === id);
  const archive = facts.survey.whole.find((one) => one.id === id);
  if (archive === undefined && damaged === undefined) throw unknown(id, facts);
  if (archive === undefined) {
    const blockers = [...undoBlocker(facts, id, options.giveUpUndo), ...lockBlocker(facts, id)];
    return { id, purpose: null, bytes: null, blockers };
  }
  const blockers = [
    ...undoBlocker(facts, id, options.giveUpUndo),
    ...lockBlocker(facts, id),
    ...lastGood(facts, id, archive.source),
  ];
  return { id, purpose: archive.purpose, bytes: archive.bytes, blockers };
}

function undoBlocker({ records }: RetentionFacts, id: string, giveUpUndo: boolean): string[] {
  const migration = records?.undoable.get(id);
  if (migration === undefined || giveUpUndo) return [];
  return [`the rollback of ${migration} can still be undone from it; --give-up-undo lets it go all the same`];
}

function lockBlocker(facts: RetentionFacts, id: string): string[] {
  const lock = facts.locked.get(id);
  return lock !== undefined && holds(lock, facts.now) ? [lockReason(lock)] : [];
}

/** The newest dump of a database whose drill passed; without such a drill, its newest dump. */
function lastGood(facts: RetentionFacts, id: string, source: string): string[] {
  const dumps = dumpsBySource(facts).get(source) ?? [];
  const drilled = dumps.find((dump) => facts.records?.drills.get(dump.id) === "pass");
  if (drilled !== undefined && drilled.id === id) return [`the newest of ${drilled.database} whose drill passed`];
  if (drilled === undefined && dumps[0]?.id === id)
    return [`the newest of ${dumps[0].database}, and no drill of another one is known to have passed`];
  return [];
}

function unknown(id: string, { survey }: RetentionFacts): BelayError {
  const unfinished = survey.unfinished.includes(id);
  return new BelayError("unknown_archive", `there is no archive ${id}`, {
    hint: unfinished
      ? "There are objects of that name without a manifest: see belay prune --unfinished."
      : "List the archives with `belay archives`.",
  });
}
