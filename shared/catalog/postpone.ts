import type { Entry } from "./types.ts";

/**
 * What needs an entry of the post-data section (a materialised view that groups by a primary key, a function with an
 * SQL body over it) goes to that section too, as pg_dump has it.
 */
export function postponed(entries: readonly Entry[]): Entry[] {
  const late = new Set(entries.filter((entry) => entry.section === "post-data").map((entry) => entry.key));
  if (late.size === 0) return [...entries];
  for (let before = -1; before !== late.size; ) {
    before = late.size;
    for (const entry of entries)
      if (entry.section === "pre-data" && entry.dependencies.some((key) => late.has(key))) late.add(entry.key);
  }
  return entries.map((entry) =>
    entry.section === "pre-data" && late.has(entry.key) ? { ...entry, section: "post-data" } : entry,
  );
}
