import type { Catalog, CatalogDifference, Entry } from "./types.ts";

/** What separates two snapshots, by key and hash. Removed entries are in `before`'s order, the others in `after`'s. */
export function compareCatalogs(before: Pick<Catalog, "entries">, after: Pick<Catalog, "entries">): CatalogDifference {
  const old = new Map(before.entries.map((entry) => [entry.key, entry]));
  const kept = new Set(after.entries.map((entry) => entry.key));
  const added: Entry[] = [];
  const changed: { before: Entry; after: Entry }[] = [];
  for (const entry of after.entries) {
    const was = old.get(entry.key);
    if (was === undefined) added.push(entry);
    else if (was.hash !== entry.hash) changed.push({ before: was, after: entry });
  }
  return { removed: before.entries.filter((entry) => !kept.has(entry.key)), added, changed };
}
