import type { SeedTable } from "./types.ts";

/** Groups of tables, parents first; tables that refer to each other in a circle are one group (Tarjan). */
export function orderTables(tables: readonly SeedTable[]): SeedTable[][] {
  const parents = parentFinder(tables);
  const groups: SeedTable[][] = [];
  const seen = new Map<SeedTable, { index: number; low: number }>();
  const stack: SeedTable[] = [];
  const visit = (table: SeedTable): { index: number; low: number } => {
    const mark = { index: seen.size, low: seen.size };
    seen.set(table, mark);
    stack.push(table);
    for (const parent of parents(table)) {
      const known = seen.get(parent);
      if (known === undefined) mark.low = Math.min(mark.low, visit(parent).low);
      else if (stack.includes(parent)) mark.low = Math.min(mark.low, known.index);
    }
    if (mark.low === mark.index) groups.push(stack.splice(stack.indexOf(table)));
    return mark;
  };
  for (const table of tables) if (!seen.has(table)) visit(table);
  return groups;
}

/** The tables whose rows a table's keys may refer to: the parent itself, or the partitions of a partitioned one. */
export function parentFinder(tables: readonly SeedTable[]): (table: SeedTable) => SeedTable[] {
  const holders = holdersOf(tables);
  return (table) => [...new Set(table.keys.flatMap(({ parent }) => holders.get(parent) ?? []))];
}

/** Tables that hold the rows of a relation, by its oid. */
export function holdersOf(tables: readonly SeedTable[]): Map<number, SeedTable[]> {
  const holders = new Map<number, SeedTable[]>();
  for (const table of tables)
    for (const oid of [table.oid, ...table.ancestors]) holders.set(oid, [...(holders.get(oid) ?? []), table]);
  return holders;
}
