import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { TableToArchive } from "./layout.ts";

/** `COPY ... TO` for the rows of one table, without its children. */
export function copyOutStatement(table: TableToArchive): string {
  const from = table.from ?? table;
  const name = qualified(from.schema, from.table);
  if (table.from?.suffix !== undefined)
    return `COPY (SELECT ${table.columns.map(quoteIdent).join(", ")} FROM ${name} ${table.from.suffix}) TO STDOUT`;
  if (table.from?.where === undefined) return `COPY ${name}${columnList(table.columns)} TO STDOUT`;
  const columns = table.columns.map(quoteIdent).join(", ");
  return `COPY (SELECT ${columns} FROM ONLY ${name} WHERE ${table.from.where}) TO STDOUT`;
}

/** In brackets behind a table's name; of a table without columns nothing. */
export function columnList(columns: readonly string[]): string {
  return columns.length === 0 ? "" : ` (${columns.map(quoteIdent).join(", ")})`;
}
