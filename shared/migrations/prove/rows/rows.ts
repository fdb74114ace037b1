import { quoteLiteral } from "../../../catalog/identifiers.ts";
import { listedIn } from "./checks.ts";
import type { SeedColumn, SeedForeignKey, SeedOptions, SeedRow, SeedSchema, SeedTable } from "./types.ts";
import { literalOf, pick, plainType } from "./values.ts";

/** Rows that a relation holds or will hold, by its oid. */
export type KnownRows = (relation: number) => readonly SeedRow[];

export interface RowsWanted extends SeedOptions {
  /** Give only the columns that must have a value. */
  readonly sparse: boolean;
  /** Which of several shapes texts have: 0 is a plain number. */
  readonly shape: number;
}

/** Makes a table's rows: own values first, then the values of the rows that its keys refer to. */
export function makeRows(schema: SeedSchema, table: SeedTable, known: KnownRows, wanted: RowsWanted): SeedRow[] {
  const rows: SeedRow[] = [];
  for (const [index, own] of ownRows(schema, table, wanted).entries())
    rows.push(withKeys(table, own, { rows, index, known, sparse: wanted.sparse }));
  return rows;
}

/** A table's rows without the values that its keys settle. */
export function ownRows(schema: SeedSchema, table: SeedTable, wanted: RowsWanted): Map<string, string>[] {
  return Array.from({ length: wanted.rows }, (_, row) => ownValues(schema, table, row, wanted));
}

/** Every third row leaves out what may be NULL. */
function ownValues(schema: SeedSchema, table: SeedTable, row: number, wanted: RowsWanted): Map<string, string> {
  const values = new Map<string, string>();
  const inKey = new Set(table.keys.flatMap(({ columns }) => columns));
  for (const [place, column] of table.columns.entries()) {
    if (column.generated) continue;
    const optional = column.hasDefault || !isNotNull(schema, column);
    const leftOut = wanted.sparse ? optional : row % 3 === 2 && !isNotNull(schema, column);
    if (leftOut && !inKey.has(column.name)) continue;
    const n = 1000 + pick(900, wanted.seed) + (isKeyLike(schema, column) ? 0 : place * Math.max(10, wanted.rows)) + row;
    const value =
      listedValue(table, column, row + wanted.seed) ??
      literalOf(schema.types, column.type, column.modifier, n, wanted.shape);
    if (value !== null) values.set(column.name, value);
  }
  return values;
}

/** Ids of the same row are alike in all tables, so that a foreign key which a migration adds later mostly holds. */
function isKeyLike(schema: SeedSchema, column: SeedColumn): boolean {
  return /(^|_)(u?u?id|nid|ids)$/i.test(column.name) || schema.types.get(column.type)?.name === "uuid";
}

function listedValue(table: SeedTable, column: SeedColumn, n: number): string | null {
  const checks = table.checks.filter(({ columns }) => columns.length === 1 && columns[0] === column.name);
  const listed = checks.flatMap(({ expression }) => listedIn(expression));
  return listed.length === 0 ? null : quoteLiteral(listed[n % listed.length]!);
}

/** Whether the column, or a domain under it, forbids NULL. */
export function isNotNull(schema: SeedSchema, column: SeedColumn): boolean {
  return column.notNull || plainType(schema.types, column.type, column.modifier)?.notNull === true;
}

interface RowPlace {
  /** The table's rows before this one. */
  readonly rows: readonly SeedRow[];
  readonly index: number;
  readonly known: KnownRows;
  readonly sparse: boolean;
}

/** Keys of more columns come first, so that a narrower one over the same columns agrees; those to the table itself last. */
function withKeys(table: SeedTable, own: ReadonlyMap<string, string>, place: RowPlace): SeedRow {
  const row = new Map(own);
  const settled = new Set<string>();
  const uses = new Map<number, number>();
  const notNull = new Set(table.columns.filter((column) => column.notNull).map(({ name }) => name));
  const isOwn = (key: SeedForeignKey) => key.parent === table.oid || table.ancestors.includes(key.parent);
  const ordered = table.keys.toSorted(
    (a, b) => Number(isOwn(a)) - Number(isOwn(b)) || b.columns.length - a.columns.length,
  );
  for (const key of ordered) {
    if (key.columns.every((name) => settled.has(name))) continue;
    const nth = uses.get(key.parent) ?? 0;
    uses.set(key.parent, nth + 1);
    const free = key.columns.filter((name) => !settled.has(name) && !notNull.has(name));
    const rows = isOwn(key) ? [row, ...place.rows] : place.known(key.parent);
    const parent = place.sparse && free.length > 0 ? undefined : findParent(key, rows, row, settled, place.index + nth);
    if (parent !== undefined)
      for (const [index, name] of key.columns.entries()) row.set(name, parent.get(key.parentColumns[index]!)!);
    else for (const name of free) row.set(name, "null");
    for (const name of key.columns) settled.add(name);
  }
  return row;
}

/** The row to refer to: one that agrees with the columns which another key has settled. */
function findParent(
  key: SeedForeignKey,
  rows: readonly SeedRow[],
  row: SeedRow,
  settled: ReadonlySet<string>,
  at: number,
): SeedRow | undefined {
  const fitting = rows.filter((parent) =>
    key.columns.every((name, index) => {
      const value = parent.get(key.parentColumns[index]!);
      return value !== undefined && value !== "null" && (!settled.has(name) || value === row.get(name));
    }),
  );
  return fitting[at % fitting.length];
}
