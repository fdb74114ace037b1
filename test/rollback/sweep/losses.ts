import { project, type State, sorted, type TableRows } from "./state.ts";

/** What vanished or changed between two states, seen by oid and column number. */
export type Loss =
  | { readonly kind: "table"; readonly table: TableRows; readonly why: string }
  | { readonly kind: "columns"; readonly table: TableRows; readonly columns: readonly string[] };

/** A rename keeps oid and column number, so it is no loss; a changed value makes the whole table one. */
export function losses(before: State, after: State): Loss[] {
  const now = new Map(after.tables.map((table) => [table.oid, table]));
  return before.tables.flatMap((table): Loss[] => {
    const same = now.get(table.oid);
    if (same === undefined) return table.rows.length === 0 ? [] : [{ kind: "table", table, why: "dropped" }];
    const numbers = new Map(same.columns.map((column) => [column.number, column.name]));
    const kept = table.columns.filter(({ number }) => numbers.has(number));
    const was = sorted(
      project(
        table,
        kept.map(({ name }) => name),
      ),
    );
    const is = sorted(
      project(
        same,
        kept.map(({ number }) => numbers.get(number)!),
      ),
    );
    if (was.join() !== is.join()) return [{ kind: "table", table, why: "rows changed" }];
    const lost = table.columns.filter(({ number, generated }) => !numbers.has(number) && !generated);
    const held = lost.filter(({ name }) => project(table, [name]).some(([value]) => value !== null));
    return held.length === 0 ? [] : [{ kind: "columns", table, columns: held.map(({ name }) => name) }];
  });
}

/** Sequences that went, with their values. */
export function lostSequences(before: State, after: State): [string, string][] {
  return Object.entries(before.sequences).filter(([name]) => after.sequences[name] === undefined);
}
