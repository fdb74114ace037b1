import { qualified, quoteIdent } from "../../../catalog/identifiers.ts";
import type { TocEntry } from "../../format/toc.ts";

/** Kinds that have an owner which ALTER can set; those of the second list are named by more than schema and tag. */
const named = new Set([
  ...["SCHEMA", "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "TYPE", "DOMAIN", "COLLATION"],
  ...["STATISTICS", "CONVERSION", "TEXT SEARCH DICTIONARY", "TEXT SEARCH CONFIGURATION", "FOREIGN DATA WRAPPER"],
  ...["SERVER", "PROCEDURAL LANGUAGE", "PUBLICATION", "SUBSCRIPTION", "EVENT TRIGGER"],
]);
const signed = new Set(["FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR", "OPERATOR CLASS", "OPERATOR FAMILY"]);

/** `ALTER ... OWNER TO` of an entry that has an owner which can be set; null for all others. */
export function ownerStatement(entry: TocEntry): string | null {
  if (!entry.owner) return null;
  const object = ownedObject(entry);
  return object === null ? null : `ALTER ${object} OWNER TO ${quoteIdent(entry.owner)};`;
}

/** Whether what the entry makes belongs to someone, so that the restoring role must be able to act as its owner. */
export function hasOwner(entry: TocEntry): boolean {
  return Boolean(entry.owner) && (entry.desc.startsWith("BLOB") || ownedObject(entry) !== null);
}

/** SQL comments alone: the schema public, which is there already. */
export function isOnlyComment(sql: string): boolean {
  return /^(\s*--[^\n]*(\n|$))+\s*$/.test(sql);
}

function ownedObject(entry: TocEntry): string | null {
  if (entry.desc === "BLOB") return /^\d{1,10}$/.test(entry.tag) ? `LARGE OBJECT ${entry.tag}` : null;
  // An identity column's sequence has no DROP of its own; neither has it an owner of its own.
  if (!entry.dropStmt) return null;
  if (named.has(entry.desc)) return `${entry.desc} ${qualified(entry.namespace, entry.tag)}`;
  if (!signed.has(entry.desc)) return null;
  // The DROP statement holds the whole identity: argument types, or the access method.
  const drop = /^DROP ([\s\S]+?);\s*$/.exec(entry.dropStmt)?.[1];
  return drop?.startsWith(`${entry.desc} `) ? drop : null;
}
