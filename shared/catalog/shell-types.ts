import { byText, entryKey } from "./entry.ts";
import type { Entry } from "./types.ts";

/**
 * A base type needs its input and output functions, which take or return that type: these need its shell alone, as
 * pg_dump settles it. Shells that no function needs are left out.
 */
export function viaShellTypes(entries: readonly Entry[]): Entry[] {
  const shellOf = new Map(
    entries.flatMap((entry) => (entry.kind === "SHELL TYPE" ? [[typeKey(entry), entry.key] as const] : [])),
  );
  if (shellOf.size === 0) return [...entries];
  const needsOf = new Map(
    entries.flatMap(({ key, dependencies }) => (shellOf.has(key) ? [[key, new Set(dependencies)] as const] : [])),
  );
  const needed = new Set<string>();
  const rewired = entries.map((entry) => {
    const loops = entry.dependencies.filter((key) => entry.kind === "FUNCTION" && needsOf.get(key)?.has(entry.key));
    if (loops.length === 0) return entry;
    const shells = loops.map((key) => shellOf.get(key)!);
    for (const shell of shells) needed.add(shell);
    const dependencies = [...entry.dependencies.filter((key) => !loops.includes(key)), ...shells].sort(byText);
    return { ...entry, dependencies };
  });
  return rewired.filter((entry) => entry.kind !== "SHELL TYPE" || needed.has(entry.key));
}

function typeKey({ schema, name }: Entry): string {
  return entryKey({ kind: "TYPE", schema, name, owner: null });
}
