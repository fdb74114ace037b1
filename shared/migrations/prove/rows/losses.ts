import type { ProofLoss } from "../types.ts";
import { pairRows } from "./pair-rows.ts";
import type { ReadColumn, RowState, TableRows } from "./read-rows.ts";

/**
 * Which rows and values of a state are not in another: whole rows gone, columns gone, values changed. A table is
 * followed by its oid, else by its name, a column by its number, else by its name; values are compared as texts.
 */
export function lossesOf(earlier: RowState, later: RowState, of: ProofLoss["of"]): ProofLoss[] {
  const byOid = new Map(later.map((table) => [table.oid, table]));
  const known = new Set(earlier.map(({ oid }) => oid));
  const byName = new Map(later.filter(({ oid }) => !known.has(oid)).map((table) => [nameOf(table), table]));
  return earlier.flatMap((table) => {
    if (table.count === 0) return [];
    const same = byOid.get(table.oid) ?? byName.get(nameOf(table));
    return lossesOfTable(table, same).map(({ columns, how, rows }) => ({
      schema: table.schema,
      table: table.name,
      columns,
      of,
      how,
      rows,
    }));
  });
}

function nameOf({ schema, name }: TableRows): string {
  return JSON.stringify([schema, name]);
}

type Loss = Pick<ProofLoss, "columns" | "how" | "rows">;

function lossesOfTable(table: TableRows, same: TableRows | undefined): Loss[] {
  if (same === undefined) return [{ columns: null, how: "dropped", rows: table.count }];
  const places = table.columns.map((column) => placeIn(same, column, table));
  if (table.rows === null || same.rows === null) return lossesOfSums(table, same, places);
  const kept = places.flatMap((place, index) => (place === -1 ? [] : [{ from: index, to: place }]));
  const paired = pairRows(
    table.rows.map((row) => kept.map(({ from }) => row[from]!)),
    same.rows.map((row) => kept.map(({ to }) => row[to]!)),
  );
  const staying = table.rows.filter((_, place) => !paired.gone.has(place));
  const lost = table.columns.flatMap(({ generated }, index) => (places[index] === -1 && !generated ? [index] : []));
  const held = lost.filter((index) => staying.some((row) => row[index] !== null));
  const holding = staying.filter((row) => held.some((index) => row[index] !== null)).length;
  const changed = [...paired.changed].sort((a, b) => a - b).map((index) => kept[index]!.from);
  const own = changed.filter((index) => !table.columns[index]!.generated);
  const names = (indexes: readonly number[]) => indexes.map((index) => table.columns[index]!.name);
  return [
    ...(paired.gone.size > 0 ? [{ columns: null, how: "deleted" as const, rows: paired.gone.size }] : []),
    ...(held.length > 0 ? [{ columns: names(held), how: "dropped" as const, rows: holding }] : []),
    ...(own.length > 0 ? [{ columns: names(own), how: "changed" as const, rows: paired.rowsChanged }] : []),
  ];
}

/**
 * Place of a column in the later table; -1 when it is gone. A dropped column that was made anew under its name is found;
 * another column that took its name is not.
 */
function placeIn(later: TableRows, column: ReadColumn, earlier: TableRows): number {
  const number = later.oid === earlier.oid ? later.columns.findIndex((each) => each.number === column.number) : -1;
  if (number !== -1) return number;
  const known = new Set(later.oid === earlier.oid ? earlier.columns.map((each) => each.number) : []);
  return later.columns.findIndex((each) => each.name === column.name && !known.has(each.number));
}

/** Of tables that are too large to hold: how many rows fewer, and columns whose sums differ. */
function lossesOfSums(table: TableRows, same: TableRows, places: readonly number[]): Loss[] {
  const fewer = table.count - same.count;
  if (fewer > 0) return [{ columns: null, how: "deleted", rows: fewer }];
  const of = (how: ProofLoss["how"], lost: (place: number, sum: string | null | undefined) => boolean): Loss[] => {
    const columns = table.columns.filter(({ generated }, index) => {
      const sum = table.sums[index];
      return !generated && sum !== null && lost(places[index]!, sum);
    });
    return columns.length === 0 ? [] : [{ columns: columns.map(({ name }) => name), how, rows: null }];
  };
  return [
    ...of("dropped", (place) => place === -1),
    ...of("changed", (place, sum) => place !== -1 && same.count === table.count && same.sums[place] !== sum),
  ];
}
