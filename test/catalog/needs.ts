import type { TocEntry } from "../../shared/archive/format/toc.ts";
import { entryKey } from "../../shared/catalog/entry.ts";
import type { Catalog } from "../../shared/catalog/types.ts";

/**
 * What pg_dump's entries of some kinds depend on and Belay's do not, even through other entries. Names that two entries share are
 * left out, because their keys do not tell them apart.
 */
export function missingNeeds(expected: readonly TocEntry[], catalog: Catalog, kinds: readonly string[]): string[] {
  const keys = new Map(expected.map((entry) => [entry.dumpId, keyOf(entry)]));
  const unique = uniqueKeys([...keys.values()]);
  const needs = new Map(catalog.entries.map((entry) => [entry.key, entry.dependencies]));
  return expected.flatMap((entry) => {
    const key = keyOf(entry);
    if (!kinds.includes(entry.desc) || !unique.has(key)) return [];
    const reached = reachedFrom(key, needs);
    return entry.dependencies
      .map((id) => keys.get(Number(id)))
      .filter((need) => need !== undefined && unique.has(need) && !reached.has(need))
      .map((need) => `${key} needs ${need}`);
  });
}

function keyOf(entry: TocEntry): string {
  return entryKey({ kind: entry.desc, schema: entry.namespace, name: entry.tag, owner: entry.owner });
}

function uniqueKeys(keys: readonly string[]): ReadonlySet<string> {
  const counts = Map.groupBy(keys, (key) => key);
  return new Set(keys.filter((key) => counts.get(key)!.length === 1));
}

function reachedFrom(start: string, needs: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = [start];
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    if (reached.has(key)) continue;
    reached.add(key);
    pending.push(...(needs.get(key) ?? []));
  }
  return reached;
}
