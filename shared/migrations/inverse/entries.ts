import type { Catalog } from "../../catalog/types.ts";
import { schemaFromEntries } from "../../rollback/undo/entries.ts";
import { grantsBack } from "../../rollback/undo/grants.ts";

/** SQL by the entries' own CREATE and DROP texts that leads from the catalog of now to the wanted one; throws `undo_conflict` where they cannot. */
export function statementsFromEntries(wanted: Catalog, now: Catalog): string[] {
  const { before, after } = schemaFromEntries(wanted.entries, now.entries, new Set(), new Map());
  return tidy(["set local check_function_bodies = off", ...before, ...after]);
}

/** What is wrong with the grants after all else is back. */
export function grantsFromEntries(wanted: Catalog, now: Catalog): string[] {
  return tidy(grantsBack(wanted.entries, now.entries));
}

function tidy(statements: readonly string[]): string[] {
  return statements.map((sql) => sql.trim().replace(/;$/, "")).filter((sql) => sql !== "");
}
