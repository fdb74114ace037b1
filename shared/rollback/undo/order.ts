import type { Entry } from "../../catalog/types.ts";
import { isIdentity } from "./sequences.ts";

/** Kinds that the columns and defaults of a table that stays may need. */
const neededByColumns = new Set([
  "SCHEMA",
  "PROCEDURAL LANGUAGE",
  "EXTENSION",
  "SHELL TYPE",
  "TYPE",
  "DOMAIN",
  "SEQUENCE",
  "FUNCTION",
  "AGGREGATE",
  "COLLATION",
  "CAST",
  "TRANSFORM",
  "OPERATOR",
  "TEXT SEARCH PARSER",
  "TEXT SEARCH TEMPLATE",
  "TEXT SEARCH DICTIONARY",
  "TEXT SEARCH CONFIGURATION",
]);

/** Keys of coming entries that are made before the tables that stay are repaired: those that need no table themselves. */
export function madeFirst(coming: readonly Entry[], tables: ReadonlySet<string>): Set<string> {
  const left = new Map(coming.map((entry) => [entry.key, entry]));
  const first = new Set<string>();
  for (let before = -1; before < first.size; ) {
    before = first.size;
    for (const entry of left.values()) {
      const needs = entry.dependencies.filter((key) => left.has(key) || tables.has(key));
      if (!neededByColumns.has(entry.kind) || isIdentity(entry) || !needs.every((key) => first.has(key))) continue;
      first.add(entry.key);
    }
  }
  return first;
}

/** Entries that go after the tables that stay are repaired, because a column or default of theirs may use them. */
export function goesLast(entry: Entry): boolean {
  return entry.kind === "TYPE" || entry.kind === "DOMAIN" || (entry.kind === "SEQUENCE" && !isIdentity(entry));
}

/** A sequence may have gone with the column that owned it. */
export function lateRemoval(sql: string): string {
  return sql.replace(/^(\s*DROP SEQUENCE )(?!IF EXISTS)/, "$1IF EXISTS ");
}
