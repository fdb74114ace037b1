import { byText } from "./entry.ts";
import type { Entry, Section } from "./types.ts";

/** pg_dump's order of kinds among entries that do not depend on each other (pg_dump_sort.c). */
const priorities: readonly string[] = [
  "DATABASE",
  "DATABASE PROPERTIES",
  "SCHEMA",
  "PROCEDURAL LANGUAGE",
  "COLLATION",
  "TRANSFORM",
  "EXTENSION",
  "SHELL TYPE",
  "TYPE",
  "DOMAIN",
  "CAST",
  "FUNCTION",
  "PROCEDURE",
  "AGGREGATE",
  "ACCESS METHOD",
  "OPERATOR",
  "OPERATOR FAMILY",
  "OPERATOR CLASS",
  "CONVERSION",
  "TEXT SEARCH PARSER",
  "TEXT SEARCH TEMPLATE",
  "TEXT SEARCH DICTIONARY",
  "TEXT SEARCH CONFIGURATION",
  "FOREIGN DATA WRAPPER",
  "SERVER",
  "USER MAPPING",
  "TABLE",
  "FOREIGN TABLE",
  "VIEW",
  "MATERIALIZED VIEW",
  "SEQUENCE",
  "SEQUENCE OWNED BY",
  "TABLE ATTACH",
  "DEFAULT",
  "BLOB",
  "TABLE DATA",
  "SEQUENCE SET",
  "CONSTRAINT",
  "CHECK CONSTRAINT",
  "INDEX",
  "INDEX ATTACH",
  "STATISTICS",
  "RULE",
  "TRIGGER",
  "FK CONSTRAINT",
  "ROW SECURITY",
  "POLICY",
  "PUBLICATION",
  "PUBLICATION TABLE",
  "PUBLICATION TABLES IN SCHEMA",
  "SUBSCRIPTION",
  "DEFAULT ACL",
  "EVENT TRIGGER",
  "MATERIALIZED VIEW DATA",
];
const priorityOf = new Map(priorities.map((kind, index) => [kind, index]));
const sectionRank: Record<Section, number> = { none: 0, "pre-data": 1, data: 2, "post-data": 3 };

type KindAndName = Pick<Entry, "kind" | "schema" | "name" | "key">;

/** Comments come before grants, as pg_dump has them behind each object. */
const attachedRank: Record<string, number> = { COMMENT: 0, "SECURITY LABEL": 1, ACL: 2 };

/**
 * An order in which all entries can be created one after the other: sections, then pg_dump's order of kinds, then
 * names, so far as dependencies allow. Comments and grants stand right behind what they belong to. A cycle is broken
 * at its first entry in that order.
 */
export function creationOrder(entries: readonly Entry[]): Entry[] {
  const standing = entries.filter((entry) => entry.section !== "none").sort(byRank);
  const placed = placeByDependencies(standing);
  const position = new Map(placed.map((entry, index) => [entry.key, index]));
  const behind = new Map<number, Entry[]>();
  for (const entry of entries) {
    if (entry.section !== "none") continue;
    const after = Math.max(-1, ...entry.dependencies.map((key) => position.get(key) ?? -1));
    behind.set(after, [...(behind.get(after) ?? []), entry]);
  }
  const attachedTo = (index: number) => (behind.get(index) ?? []).sort(byAttachedRank);
  return [...attachedTo(-1), ...placed.flatMap((entry, index) => [entry, ...attachedTo(index)])];
}

/** Depth first over entries that are already in rank order; dependencies come before their dependents. */
function placeByDependencies(ranked: readonly Entry[]): Entry[] {
  const byKey = new Map(ranked.map((entry) => [entry.key, entry]));
  const rank = new Map(ranked.map((entry, index) => [entry.key, index]));
  const placed: Entry[] = [];
  const state = new Map<string, "open" | "placed">();
  const needs = (entry: Entry) =>
    entry.dependencies
      .filter((key) => byKey.has(key))
      .sort((a, b) => rank.get(a)! - rank.get(b)!)
      .map((key) => byKey.get(key)!);

  for (const root of ranked) {
    if (state.has(root.key)) continue;
    const stack = [{ entry: root, open: needs(root) }];
    state.set(root.key, "open");
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const next = top.open.shift();
      if (next === undefined) {
        placed.push(top.entry);
        state.set(top.entry.key, "placed");
        stack.pop();
      } else if (!state.has(next.key)) {
        state.set(next.key, "open");
        stack.push({ entry: next, open: needs(next) });
      }
    }
  }
  return placed;
}

function byRank(a: Entry, b: Entry): number {
  return sectionRank[a.section] - sectionRank[b.section] || byKindAndName(a, b);
}

/** pg_dump's order of kinds, then names; the same whatever else is there. */
export function byKindAndName(a: KindAndName, b: KindAndName): number {
  return (
    (priorityOf.get(a.kind) ?? priorities.length) - (priorityOf.get(b.kind) ?? priorities.length) ||
    byText(a.schema ?? "", b.schema ?? "") ||
    byText(a.name, b.name) ||
    byText(a.key, b.key)
  );
}

function byAttachedRank(a: Entry, b: Entry): number {
  return (
    (attachedRank[a.kind] ?? 0) - (attachedRank[b.kind] ?? 0) ||
    // A table's own grants come before those of its columns; system columns have negative numbers.
    Number(a.address.objsubid !== 0) - Number(b.address.objsubid !== 0) ||
    a.address.objsubid - b.address.objsubid ||
    byText(a.key, b.key)
  );
}
