import { BelayError } from "../errors.ts";
import type { Catalog, Entry } from "./types.ts";

/**
 * The entries named and all that they need to be created, directly or not, in creation order.
 * Throws `internal` for a key that the catalog does not have.
 */
export function catalogClosure(catalog: Pick<Catalog, "entries">, keys: Iterable<string>): Entry[] {
  const byKey = new Map(catalog.entries.map((entry) => [entry.key, entry]));
  const needed = new Set<string>();
  const open = [...keys];
  for (const key of open)
    if (!byKey.has(key)) throw new BelayError("internal", `the catalog has no entry ${key}`, { details: { key } });
  while (open.length > 0) {
    const key = open.pop()!;
    if (needed.has(key)) continue;
    needed.add(key);
    open.push(...(byKey.get(key)?.dependencies ?? []));
  }
  return catalog.entries.filter((entry) => needed.has(entry.key));
}
