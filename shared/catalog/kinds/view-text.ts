import { qualified, quoteIdent } from "../identifiers.ts";
import { columnStatements } from "./column-text.ts";
import type { Column } from "./columns.ts";
import { optionList } from "./options.ts";
import { type Relation, relationName } from "./relations.ts";
import { relationStatements, withClause } from "./table-text.ts";

/** CREATE VIEW; `query` is pg_get_viewdef without its semicolon. */
export function createView(view: Relation, query: string, replace = ""): string {
  const options = view.options.length === 0 ? "" : ` WITH (${optionList(view.options)})`;
  const check = view.checkOption === null ? "" : `\n  WITH ${view.checkOption} CHECK OPTION`;
  return `CREATE ${replace}VIEW ${relationName(view)}${options} AS\n${query}${check};\n`;
}

/** A view with the same columns that refers to nothing, to stand in where the real one must come after the data. */
export function createDummyView(view: Relation, columns: readonly Column[], replace = ""): string {
  const list = columns.map((column) => {
    const collation =
      column.collation === null ? "" : ` COLLATE ${qualified(column.collation.schema, column.collation.name)}`;
    return `\n    NULL::${column.type}${collation} AS ${quoteIdent(column.name)}`;
  });
  return `CREATE ${replace}VIEW ${relationName(view)} AS\nSELECT${list.join(",")};\n`;
}

/** CREATE MATERIALIZED VIEW, always without data, and the statements for what it cannot say. */
export function createMaterializedView(view: Relation, columns: readonly Column[], query: string): string {
  const unlogged = view.persistence === "u" ? "UNLOGGED " : "";
  return (
    `CREATE ${unlogged}MATERIALIZED VIEW ${relationName(view)}${withClause(view)} AS\n${query}\n  WITH NO DATA;\n` +
    columns.map((column) => columnStatements(view, column)).join("") +
    relationStatements(view)
  );
}
