import type { Check } from "./checks.ts";
import type { Column } from "./columns.ts";
import type { Relation } from "./relations.ts";

/** Where a column's default or generation expression is written. */
export type ExpressionPlace = "inline" | "separate" | "none";

export interface TableColumn {
  /** `expression` is NULL where a parent's default must be undone. */
  readonly column: Column;
  /** Written in CREATE TABLE; otherwise it comes with the parent. */
  readonly printed: boolean;
  readonly expression: ExpressionPlace;
  /** The NOT NULL is not a parent's. */
  readonly ownNotNull: boolean;
}

/** What only a foreign table has. */
export interface ForeignTable {
  readonly oid: number;
  readonly server: string;
  /** As CREATE takes them; "" for none. */
  readonly options: string;
}

/** All that CREATE TABLE and the statements after it need. */
export interface Table {
  readonly relation: Relation;
  readonly parents: readonly Relation[];
  readonly columns: readonly TableColumn[];
  /** Written in CREATE TABLE, by name. */
  readonly checks: readonly Check[];
  readonly foreign: ForeignTable | null;
}

/**
 * Settles what a table writes itself and what it inherits, by pg_dump's rules: partitions are created whole and
 * attached later; in a child only local columns are written, and a parent's default that the child lacks becomes NULL.
 */
export function tableColumn(
  relation: Relation,
  column: Column,
  parentColumns: readonly Column[],
  isAfterTable: boolean,
): TableColumn {
  const printed = column.isLocal || relation.isPartition;
  const notNullAbove = parentColumns.some((parent) => parent.notNull);
  // A NOT NULL that is validated here and not in the parents would come back from them not validated.
  const notNullInherited = olderNotNull(column)
    ? notNullAbove
    : column.notNullInherited && (notNullAbove || parentColumns.length === 0);
  const shared = { printed, ownNotNull: column.notNull && !notNullInherited };
  if (column.expression === null && parentColumns.some(hasDefault))
    return { ...shared, column: { ...column, expression: "NULL" }, expression: printed ? "inline" : "separate" };
  if (column.expression === null) return { ...shared, column, expression: "none" };
  if (column.generated !== null)
    return { ...shared, column, expression: generatedPlace(relation, column, parentColumns) };
  return { ...shared, column, expression: isAfterTable || !printed ? "separate" : "inline" };
}

/** Servers before 18 do not say whether a NOT NULL was inherited. */
function olderNotNull(column: Column): boolean {
  return column.notNullSource === "attribute";
}

export function hasDefault(parent: Column): boolean {
  return parent.expression !== null && parent.generated === null;
}

function generatedPlace(relation: Relation, column: Column, parents: readonly Column[]): ExpressionPlace {
  if (relation.isPartition) return "inline";
  const generating = parents.filter((parent) => parent.generated !== null);
  const same = generating.every((parent) => parent.expression === column.expression);
  return generating.length > 0 && same ? "none" : "inline";
}
