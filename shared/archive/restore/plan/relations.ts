import type { TocEntry } from "../../format/toc.ts";

/** Which tables hang together, by the archive's own word. */
export interface Relations {
  /** dumpIds of a table's partitions and children, at any depth, itself first. */
  family(table: number): readonly number[];
  /** dumpIds of the entries that load rows which may end in the table. */
  loads(table: number): readonly number[];
  /** Whether the entry makes something that statements lock. */
  isRelation(id: number): boolean;
}

const relationKinds = new Set(["TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE"]);

const tableKinds = new Set(["TABLE", "FOREIGN TABLE"]);

/** A TABLE entry depends on what it inherits from or is a partition of; TABLE ATTACH names partition and parent. */
export function relationsOf(entries: readonly TocEntry[]): Relations {
  const tables = new Set(entries.filter(({ desc }) => tableKinds.has(desc)).map(({ dumpId }) => dumpId));
  const children = new Map<number, number[]>();
  const loadsOf = new Map<number, number[]>();
  for (const entry of entries) {
    if (tableKinds.has(entry.desc))
      for (const parent of entry.dependencies) if (tables.has(parent)) push(children, parent, entry.dumpId);
    if (entry.desc === "TABLE ATTACH" && entry.dependencies.length >= 2)
      push(children, entry.dependencies[1]!, entry.dependencies[0]!);
    if (entry.desc === "TABLE DATA" && entry.dependencies[0] !== undefined)
      push(loadsOf, entry.dependencies[0], entry.dumpId);
  }
  const family = (table: number) => {
    const seen = new Set([table]);
    for (const member of seen) for (const child of children.get(member) ?? []) seen.add(child);
    return [...seen];
  };
  const relations = new Set(entries.filter(({ desc }) => relationKinds.has(desc)).map(({ dumpId }) => dumpId));
  return {
    isRelation: (id) => relations.has(id),
    family,
    loads: (table) => family(table).flatMap((member) => loadsOf.get(member) ?? []),
  };
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
