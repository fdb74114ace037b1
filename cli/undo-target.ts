import type { UndoTarget } from "../shared/rollback/undo/plan-types.ts";
import type { FlagValues } from "./command.ts";

/** Flags that say how much of a rollback is undone, and over what. */
export const undoFlags = {
  only: { type: "string", multiple: true },
  "discard-newer": { type: "string", multiple: true },
  waive: { type: "string", multiple: true },
} as const;

export const undoHelp: readonly (readonly [string, string])[] = [
  ["--only TABLE", "put back this table alone; the migration stays rolled back (repeatable)"],
  ["--discard-newer TABLE", "archive what is newer in this table and undo over it; all: of every table (repeatable)"],
];

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** A rollback's id, a migration or `latest`, with the flags. */
export function undoTargetOf(
  word: string,
  flags: FlagValues,
): UndoTarget & {
  readonly waive: readonly string[];
  readonly only: readonly string[];
  readonly discardNewer: readonly string[];
} {
  const many = (value: FlagValues[string]) => (Array.isArray(value) ? (value as string[]) : []);
  return {
    ...(uuid.test(word) ? { rollbackId: word.toLowerCase() } : { migration: word }),
    only: many(flags.only),
    discardNewer: many(flags["discard-newer"]),
    waive: many(flags.waive),
  };
}
