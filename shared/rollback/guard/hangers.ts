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
