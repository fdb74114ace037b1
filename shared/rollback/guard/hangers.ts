import { entryKey } from "../../catalog/entry.ts";
import type { Entry } from "../../catalog/types.ts";

/** Kinds of entry that belong to another object and go or change with it. */
const hangers = new Set([
  "INDEX",
  "INDEX ATTACH",
  "CONSTRAINT",
  "CHECK CONSTRAINT",
  "FK CONSTRAINT",
  "DEFAULT",
  "TRIGGER",
  "RULE",
  "POLICY",
  "ROW SECURITY",
  "ACL",
  "COMMENT",
  "TABLE ATTACH",
  "TABLE DATA",
  "SEQUENCE SET",
  "SEQUENCE OWNED BY",
  "STATISTICS",
  "MATERIALIZED VIEW DATA",
  "SECURITY LABEL",
  "PUBLICATION TABLE",
  "PUBLICATION TABLES IN SCHEMA",
]);

/** Whether an entry is a part of one of the named entries: an index of a table, a grant on a view. */
export function hangsOn(entry: Entry, keys: ReadonlySet<string>): boolean {
  return hangers.has(entry.kind) && entry.dependencies.some((key) => keys.has(key));
}

/** Kinds that hold rows or other objects of their own, and go for no other table's sake. */
const standing = new Set(["TABLE", "FOREIGN TABLE", "SEQUENCE", "TYPE", "DOMAIN", "SCHEMA", "EXTENSION"]);

/**
 * The keys with all that DROP ... CASCADE of them takes and that holds no rows: their parts, views and functions over
 * them, foreign keys towards them, and the sequences that they own. Entries come in creation order.
 */
export function hangingOn(entries: readonly Entry[], keys: readonly string[]): Set<string> {
  const found = new Set(keys);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const entry of entries) {
      if (found.has(entry.key) || !entry.dependencies.some((key) => found.has(key))) continue;
      if (!standing.has(entry.kind) || isIdentity(entry)) found.add(entry.key);
      if (entry.kind === "SEQUENCE OWNED BY") found.add(sequenceOf(entry));
    }
    for (const key of ownTypes(entries, found)) found.add(key);
  }
  return found;
}

/** Types and domains of which no other table, type or domain makes use. */
function ownTypes(entries: readonly Entry[], found: ReadonlySet<string>): string[] {
  const used = new Set<string>();
  const shared = new Set<string>();
  for (const { key, kind, dependencies } of entries) {
    if (!standing.has(kind)) continue;
    for (const each of dependencies) (found.has(key) ? used : shared).add(each);
  }
  return entries.flatMap(({ key, kind }) => (isType(kind) && used.has(key) && !shared.has(key) ? [key] : []));
}

export function isType(kind: string): boolean {
  return kind === "TYPE" || kind === "DOMAIN";
}

function isIdentity({ kind, create }: Entry): boolean {
  return kind === "SEQUENCE" && create.trimStart().startsWith("ALTER TABLE");
}

function sequenceOf({ schema, name }: Entry): string {
  return entryKey({ kind: "SEQUENCE", schema, name, owner: null });
}
