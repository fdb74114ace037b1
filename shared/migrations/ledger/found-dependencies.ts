import { compareCatalogs } from "../../catalog/differences.ts";
import { entryWords } from "../../catalog/entry-words.ts";
import type { Catalog } from "../../catalog/types.ts";

/** A migration with its catalog before and after (what both have alike may be left out); null where there is no snapshot. */
export interface Known {
  readonly name: string;
  readonly before: Pick<Catalog, "entries"> | null;
  readonly after: Pick<Catalog, "entries"> | null;
}

export interface FoundDependency {
  readonly name: string;
  readonly dependsOn: string;
  readonly found: "catalog";
  readonly why: string;
}

/**
 * Dependencies that the catalog shows, for migrations in the order in which they were applied: an object that one
 * created needs one that an earlier created, or one changed or dropped what an earlier created.
 */
export function findDependencies(migrations: readonly Known[]): FoundDependency[] {
  const made = new Map<string, { readonly by: string; readonly words: string }>();
  const found = new Map<string, FoundDependency>();
  const note = (name: string, key: string, why: (thing: string) => string): void => {
    const thing = made.get(key);
    if (thing === undefined || thing.by === name || found.has(`${name}\n${thing.by}`)) return;
    const told = `${why(thing.words)}, which ${thing.by} created`;
    found.set(`${name}\n${thing.by}`, { name, dependsOn: thing.by, found: "catalog", why: told });
  };
  for (const { name, before, after } of migrations) {
    if (before === null || after === null) continue;
    const difference = compareCatalogs(before, after);
    for (const entry of difference.added) {
      made.set(entry.key, { by: name, words: entryWords(entry) });
      for (const key of entry.dependencies) note(name, key, (thing) => `${entryWords(entry)} needs ${thing}`);
    }
    for (const { before: was, after: entry } of difference.changed) {
      note(name, entry.key, (thing) => `it changes ${thing}`);
      const old = new Set(was.dependencies);
      for (const key of entry.dependencies)
        if (!old.has(key)) note(name, key, (thing) => `${entryWords(entry)} needs ${thing}`);
    }
    for (const entry of difference.removed) note(name, entry.key, (thing) => `it drops ${thing}`);
    for (const entry of difference.removed) made.delete(entry.key);
  }
  return [...found.values()];
}
