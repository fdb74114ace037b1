import type { CatalogDifference, Entry } from "../../catalog/types.ts";

/** Kinds that hold no rows of ours, so that they may go and come. */
const rowless = new Set(["VIEW", "FOREIGN TABLE"]);

/** What may go and come with them without a loss; a materialised view or a function over them may not. */
const goesAlong = new Set([
  ...[...rowless, "ACL", "COMMENT", "SECURITY LABEL", "TRIGGER", "RULE", "DEFAULT", "CHECK CONSTRAINT"],
  ...["TABLE ATTACH", "PUBLICATION TABLE"],
]);

/**
 * Changed views and foreign tables that have to be dropped and made again, because CREATE OR REPLACE VIEW cannot take
 * columns away or rename them, and so that the tables below them may be repaired; with what hangs on them. Other views
 * are replaced in place.
 */
export function viewsMadeAgain(
  changed: CatalogDifference["changed"],
  now: readonly Entry[],
  expected: readonly Entry[],
): CatalogDifference["changed"] {
  const targets = new Map(expected.map((entry) => [entry.key, entry]));
  const again = new Map<string, { before: Entry; after: Entry }>();
  for (const view of changed) {
    if (!rowless.has(view.after.kind) || again.has(view.after.key)) continue;
    const above = dependents(view.before, now);
    if (!above.every(({ kind }) => goesAlong.has(kind))) continue;
    for (const before of [view.before, ...above]) {
      const after = targets.get(before.key);
      if (after !== undefined) again.set(before.key, { before, after });
    }
  }
  return [...again.values()];
}

function dependents(view: Entry, now: readonly Entry[]): Entry[] {
  const keys = new Set([view.key]);
  const found: Entry[] = [];
  for (let before = -1; before < found.length; ) {
    before = found.length;
    for (const entry of now) {
      if (keys.has(entry.key) || !entry.dependencies.some((key) => keys.has(key))) continue;
      keys.add(entry.key);
      found.push(entry);
    }
  }
  return found;
}
