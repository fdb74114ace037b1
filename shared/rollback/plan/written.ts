import type { WrittenSince } from "../../migrations/sync/counters.ts";
import type { Effect } from "../types.ts";

/** How much was written to a table since the migration, and from when on that is counted; or why it is not known. */
export type Written = Pick<Effect["tables"][number], "writtenSince" | "countedFrom" | "notCounted">;

export interface CountedTable {
  readonly oid: number;
  /** All writes that the server has counted; null when its counters were reset after the migration was applied. */
  readonly written: number | null;
}

/**
 * From what was read when the migration was registered; else, for a table that the migration made, from the table's
 * whole count. Fewer writes than rows means that the server lost its counters.
 */
export function writtenSince(
  table: CountedTable,
  rows: number,
  reading: WrittenSince | undefined,
  facts: { readonly created: boolean; readonly appliedAt: string | null },
): Written {
  const counted = reading?.written.get(table.oid);
  if (typeof counted === "number") return { writtenSince: counted, countedFrom: reading!.since, notCounted: null };
  if (counted === null) return unknown("the server's counters began anew since the migration was registered");
  if (!facts.created) return unknown("the server's counters were not noted when the migration was registered");
  if (table.written === null || table.written < rows)
    return unknown("the server's counters began anew since the migration");
  return { writtenSince: table.written, countedFrom: facts.appliedAt, notCounted: null };
}

function unknown(why: string): Written {
  return { writtenSince: null, countedFrom: null, notCounted: why };
}
