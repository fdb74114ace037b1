import { qualified, quoteIdent } from "../identifiers.ts";
import type { Column } from "./columns.ts";
import { alterTable, type Relation, relationName } from "./relations.ts";

export interface ColumnParts {
  /** Write the default or generation expression; default true. */
  readonly expression?: boolean;
  /** Write NOT NULL; default true. */
  readonly notNull?: boolean;
  /** Write the type and its collation; default true, false in a typed table. */
  readonly type?: boolean;
}

/**
 * The clause that defines a column in CREATE TABLE or ADD COLUMN, in pg_dump's wording. An identity is not in it
 * (the entry of its sequence adds it), nor what `columnStatements` gives.
 */
export function columnDefinition(column: Column, parts: ColumnParts = {}): string {
  const { expression = true, notNull = true, type = true } = parts;
  let text = quoteIdent(column.name);
  if (type) text += ` ${column.type}`;
  if (expression) text += expressionClause(column);
  if (notNull && column.notNull) text += ` ${notNullClause(column)}`;
  if (column.collation !== null) text += ` COLLATE ${qualified(column.collation.schema, column.collation.name)}`;
  return text;
}

function expressionClause(column: Column): string {
  if (column.expression === null) return "";
  if (column.generated === "stored") return ` GENERATED ALWAYS AS (${column.expression}) STORED`;
  if (column.generated === "virtual") return ` GENERATED ALWAYS AS (${column.expression})`;
  return ` DEFAULT ${column.expression}`;
}

function notNullClause(column: Column): string {
  const name = column.notNullName === null ? "" : `CONSTRAINT ${quoteIdent(column.notNullName)} `;
  return `${name}NOT NULL${column.notNullNoInherit ? " NO INHERIT" : ""}`;
}

/** NOT NULL of a column that is not written itself, as a table constraint (servers 18 and newer). */
export function notNullTableConstraint(column: Column): string {
  const name = column.notNullName === null ? "" : `CONSTRAINT ${quoteIdent(column.notNullName)} `;
  return `${name}NOT NULL ${quoteIdent(column.name)}${column.notNullNoInherit ? " NO INHERIT" : ""}`;
}

/** Statements for the properties of a column that CREATE TABLE cannot set. */
export function columnStatements(
  relation: Pick<Relation, "kind" | "schema" | "name">,
  column: Column,
  serverVersion = 0,
): string {
  const target = `${relationName(relation)} ALTER COLUMN ${quoteIdent(column.name)}`;
  const alter = `${alterTable(relation)} ONLY ${target} SET`;
  let text = "";
  if (column.statistics !== null) text += `${alter} STATISTICS ${column.statistics};\n`;
  if (column.storage !== null) text += `${alter} STORAGE ${column.storage};\n`;
  if (column.compression !== null) text += `${alter} COMPRESSION ${column.compression};\n`;
  if (column.options !== null && column.options !== "") text += `${alter} (${column.options});\n`;
  if (column.foreignOptions !== null && column.foreignOptions !== "")
    text += `ALTER FOREIGN TABLE ${serverVersion >= 180000 ? "ONLY " : ""}${target} OPTIONS (\n    ${column.foreignOptions}\n);\n`;
  return text;
}
