import { compareCatalogs } from "../../catalog/differences.ts";
import type { Catalog, CatalogDifference, Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import { sameButForColumnOrder } from "../transaction/column-order.ts";

export interface EndState {
  readonly state: "as_before" | "unknown" | "waived";
  readonly notes: readonly string[];
}

/** Entries of the snapshots around a migration, or around several that follow one another. */
export interface Snapshots {
  readonly before: readonly Entry[];
  readonly after: readonly Entry[];
}

/**
 * Compares the objects that the migrations changed, and those that the rollback touched, with the snapshot of before the
 * migration; throws `end_state_differs` naming them, or says so where that is waived. Without both snapshots the end state is unknown.
 */
export function checkEndState(
  migration: string,
  snapshots: readonly Snapshots[] | null,
  catalog: Catalog,
  touched: CatalogDifference,
  waived = false,
): EndState {
  if (snapshots === null)
    return { state: "unknown", notes: [`no snapshots of ${migration}: its end state is unknown`] };
  const { own, wanted } = wantedState(snapshots);
  const keys = new Set([...own, ...keysOf(touched)]);
  const found = new Map(catalog.entries.map((entry) => [entry.key, entry]));
  const wrong: string[] = [];
  const notes: string[] = [];
  for (const key of [...keys].sort()) {
    const before = wanted.get(key);
    const now = found.get(key);
    if (before?.hash === now?.hash) continue;
    if (before === undefined) wrong.push(`${key} is left over`);
    else if (now === undefined) wrong.push(`${key} is missing`);
    else if (sameButForColumnOrder(before, now)) notes.push(`${key}: columns in another order than before`);
    else wrong.push(`${key} differs`);
  }
  if (wrong.length > 0 && waived)
    return { state: "waived", notes: [...notes, ...wrong.map((what) => `end state: ${what}`)] };
  if (wrong.length > 0)
    throw new BelayError(
      "end_state_differs",
      `the rollback of ${migration} does not end where the migration began: ${wrong.slice(0, 8).join("; ")}`,
      {
        hint: "Everything was put back. Mend the rollback SQL so that it undoes exactly what the migration did, or accept the difference: --waive end_state.",
        details: { differences: wrong },
      },
    );
  return { state: "as_before", notes };
}

/** What the runs changed, and how it was before the oldest of those that changed it; all else as before the newest. */
function wantedState(runs: readonly Snapshots[]): { own: Set<string>; wanted: Map<string, Entry> } {
  const own = new Set<string>();
  const wanted = new Map(runs.at(-1)!.before.map((entry) => [entry.key, entry]));
  for (const { before, after } of runs.toReversed()) {
    const was = new Map(before.map((entry) => [entry.key, entry]));
    for (const key of keysOf(compareCatalogs(asCatalog(before), asCatalog(after)))) {
      own.add(key);
      const entry = was.get(key);
      if (entry === undefined) wanted.delete(key);
      else wanted.set(key, entry);
    }
  }
  return { own, wanted };
}

function asCatalog(entries: readonly Entry[]): Catalog {
  return { entries, unknown: [], digest: "" };
}

/** Keys of all that a difference names. */
export function keysOf(difference: CatalogDifference): string[] {
  return [
    ...difference.removed.map(({ key }) => key),
    ...difference.added.map(({ key }) => key),
    ...difference.changed.map(({ before }) => before.key),
  ];
}
