import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import { isIdentity } from "./sequences.ts";

/** Kinds with an owner of their own. */
const ownable = new Set([
  ...["TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE", "FUNCTION", "PROCEDURE", "AGGREGATE", "TYPE"],
  ...["DOMAIN", "SCHEMA", "STATISTICS", "COLLATION", "CONVERSION", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY"],
  ...["TEXT SEARCH DICTIONARY", "TEXT SEARCH CONFIGURATION", "PROCEDURAL LANGUAGE", "EVENT TRIGGER", "PUBLICATION"],
  ...["SUBSCRIPTION", "FOREIGN DATA WRAPPER", "SERVER"],
]);

/** The owner of what was just created; parts of a table follow it. */
export function ownership(entry: Entry): string[] {
  if (!ownable.has(entry.kind) || entry.owner === null || entry.owner === "" || isIdentity(entry)) return [];
  return [`alter ${identity(entry)} owner to ${quoteIdent(entry.owner)}`];
}

/** An object's DROP text names it whole: with its argument types, or its access method. */
export function identity({ kind, name, drop }: Entry): string {
  if (kind === "SCHEMA") return `schema ${quoteIdent(name)}`;
  return (drop ?? "")
    .trim()
    .replace(/^DROP /, "")
    .replace(/( CASCADE)?;$/, "");
}
