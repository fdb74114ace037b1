import { quoteIdent } from "../identifiers.ts";
import { columnDefinition, columnStatements, notNullTableConstraint } from "./column-text.ts";
import { optionsClause } from "./foreign-data.ts";
import { optionList } from "./options.ts";
import { alterTable, type Relation, relationName } from "./relations.ts";
import type { Table, TableColumn } from "./table-model.ts";

/** CREATE TABLE and the statements for what it cannot say, in pg_dump's wording. */
export function createTable(table: Table, serverVersion: number): string {
  const { relation } = table;
  const name = relationName(relation);
  const words = table.foreign !== null ? "FOREIGN " : relation.persistence === "u" ? "UNLOGGED " : "";
  let text = `CREATE ${words}TABLE ${name}`;
  if (relation.ofType !== null) text += ` OF ${relation.ofType}`;
  const lines = bodyLines(table);
  if (lines.length > 0) text += ` (\n    ${lines.join(",\n    ")}\n)`;
  else if (relation.ofType === null) text += " (\n)";
  if (table.parents.length > 0 && !relation.isPartition)
    text += `\nINHERITS (${table.parents.map(relationName).join(", ")})`;
  if (relation.partitionKey !== null) text += `\nPARTITION BY ${relation.partitionKey}`;
  if (table.foreign !== null) text += `\nSERVER ${quoteIdent(table.foreign.server)}`;
  text += `${withClause(relation)}${optionsClause(table.foreign?.options ?? null, "\n")};\n`;
  // Servers 17 and newer let a partitioned table name the access method of its future partitions.
  if (relation.kind === "p" && relation.accessMethod !== null)
    text += `ALTER TABLE ONLY ${name} SET ACCESS METHOD ${quoteIdent(relation.accessMethod)};\n`;
  for (const column of table.columns) text += statementsAfter(relation, column, serverVersion);
  return text + relationStatements(relation);
}

/** WITH (...) of a table or materialised view on a line of its own, or nothing. */
export function withClause(relation: Relation): string {
  const options = [optionList(relation.options), optionList(relation.toastOptions, "toast.")].filter((o) => o !== "");
  return options.length === 0 ? "" : `\nWITH (${options.join(", ")})`;
}

function bodyLines({ relation, columns, checks }: Table): string[] {
  const printed = columns.filter((column) => column.printed).flatMap((column) => columnLine(relation, column));
  const notNull = columns
    .filter(({ printed, ownNotNull, column }) => !printed && ownNotNull && column.notNullSource === "constraint")
    .map(({ column }) => notNullTableConstraint(column));
  return [...printed, ...notNull, ...checks.map((check) => `CONSTRAINT ${quoteIdent(check.name)} ${check.definition}`)];
}

function columnLine(relation: Relation, { column, expression, ownNotNull }: TableColumn): string[] {
  const parts = {
    expression: expression === "inline",
    notNull: column.notNull && (ownNotNull || relation.isPartition),
    type: relation.ofType === null,
  };
  if (relation.ofType !== null && !parts.expression && !parts.notNull) return [];
  return [columnDefinition(column, parts)];
}

function statementsAfter(
  relation: Relation,
  { column, printed, ownNotNull }: TableColumn,
  serverVersion: number,
): string {
  const late = !printed && ownNotNull && column.notNullSource === "attribute";
  const alter = `${alterTable(relation)} ONLY ${relationName(relation)} ALTER COLUMN ${quoteIdent(column.name)}`;
  return (late ? `${alter} SET NOT NULL;\n` : "") + columnStatements(relation, column, serverVersion);
}

/** REPLICA IDENTITY and FORCE ROW LEVEL SECURITY; an index as replica identity is set by the index's entry. */
export function relationStatements(relation: Relation): string {
  const alter = `\nALTER TABLE ONLY ${relationName(relation)}`;
  let text = "";
  if (relation.replicaIdentity === "n" && relation.kind !== "v" && relation.kind !== "f")
    text += `${alter} REPLICA IDENTITY NOTHING;\n`;
  if (relation.replicaIdentity === "f") text += `${alter} REPLICA IDENTITY FULL;\n`;
  if (relation.forceRowSecurity) text += `${alter} FORCE ROW LEVEL SECURITY;\n`;
  return text;
}

/** ALTER TABLE ... ATTACH PARTITION. */
export function attachPartition(parent: Relation, partition: Relation): string {
  return `ALTER TABLE ONLY ${relationName(parent)} ATTACH PARTITION ${relationName(partition)} ${partition.partitionBound};\n`;
}
