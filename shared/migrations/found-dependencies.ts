import { compareCatalogs } from "../catalog/differences.ts";
import type { Catalog } from "../catalog/types.ts";

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
  const creator = new Map<string, string>();
  const found = new Map<string, FoundDependency>();
  const note = (name: string, key: string, why: (maker: string) => string): void => {
    const maker = creator.get(key);
    if (maker === undefined || maker === name || found.has(`${name}\n${maker}`)) return;
    found.set(`${name}\n${maker}`, { name, dependsOn: maker, found: "catalog", why: why(maker) });
  };
  for (const { name, before, after } of migrations) {
    if (before === null || after === null) continue;
    const difference = compareCatalogs(before, after);
    for (const entry of difference.added) {
      creator.set(entry.key, name);
      for (const key of entry.dependencies)
        note(name, key, (maker) => `${entry.key} needs ${key}, which ${maker} created`);
    }
    for (const { before: was, after: entry } of difference.changed) {
      note(name, entry.key, (maker) => `it changes ${entry.key}, which ${maker} created`);
      const old = new Set(was.dependencies);
      for (const key of entry.dependencies)
        if (!old.has(key)) note(name, key, (maker) => `${entry.key} needs ${key}, which ${maker} created`);
    }
    for (const entry of difference.removed)
      note(name, entry.key, (maker) => `it drops ${entry.key}, which ${maker} created`);
    for (const entry of difference.removed) creator.delete(entry.key);
  }
  return [...found.values()];
}
