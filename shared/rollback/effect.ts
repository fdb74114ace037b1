import { entryKey } from "../catalog/entry.ts";
import type { Catalog, Entry } from "../catalog/types.ts";
import type { Statement } from "../sql/parse.ts";
import { type AddressKey, addressKey, classOid, type DependencyGraph } from "./dependency-graph.ts";
import { wholeOf } from "./drop-closure.ts";
import { replayStatement } from "./effect-statements.ts";
import { type PlannedLock, type Remark, relationByOid, type Simulation, startSimulation } from "./simulation.ts";
import type { EffectObject } from "./types.ts";

/** What the statements do, told from their text and the catalog alone; rows are counted elsewhere. */
export interface ResolvedEffect {
  readonly objects: readonly EffectObject[];
  /** Addresses of all that goes, whole objects and columns, as `catalog/object/column`. */
  readonly gone: readonly string[];
  /** Oids of ordinary tables (partitions too) that go. */
  readonly lostTables: readonly number[];
  /** Stored columns that go while their table stays. */
  readonly lostColumns: readonly { readonly relid: number; readonly numbers: readonly number[] }[];
  readonly lostSequences: readonly number[];
  /** Oids of indexes that go. */
  readonly lostIndexes: readonly number[];
  readonly locks: readonly PlannedLock[];
  readonly opaque: readonly Remark[];
  readonly failures: readonly Remark[];
  readonly unsupported: readonly Remark[];
  readonly absent: readonly Remark[];
}

/** Replays the statements on a copy of the catalog's dependency graph. Pure: nothing runs, nothing is locked. */
export function resolveEffect(
  statements: readonly Statement[],
  graph: DependencyGraph,
  catalog: Catalog,
): ResolvedEffect {
  const simulation = startSimulation(graph);
  for (const statement of statements) replayStatement(simulation, statement);
  return {
    objects: effectObjects(simulation, catalog),
    gone: [...simulation.gone.keys()],
    lostTables: goneRelations(simulation, "r"),
    lostColumns: lostColumns(simulation),
    lostSequences: goneRelations(simulation, "S"),
    lostIndexes: goneRelations(simulation, "iI"),
    locks: [...simulation.locks.values()].filter((each) => lockable(simulation, each.oid)),
    opaque: simulation.opaque,
    failures: simulation.failures,
    unsupported: simulation.unsupported,
    absent: simulation.absent,
  };
}

function lockable(simulation: Simulation, oid: number): boolean {
  const relation = relationByOid(simulation, oid);
  return relation !== undefined && !relation.created && "rpvmfS".includes(relation.sub);
}

function goneRelations(simulation: Simulation, kinds: string): number[] {
  return [...simulation.gone.keys()].flatMap((key) => {
    const object = simulation.byAddress.get(key);
    return object?.family === "relation" && kinds.includes(object.sub) && !object.created ? [object.objid] : [];
  });
}

function lostColumns(simulation: Simulation): { relid: number; numbers: number[] }[] {
  const byTable = new Map<number, number[]>();
  for (const key of simulation.gone.keys()) {
    const table = simulation.byAddress.get(wholeOf(key));
    const number = Number(key.slice(key.lastIndexOf("/") + 1));
    if (number === 0 || table === undefined || table.created || !"r".includes(table.sub)) continue;
    if (table.family !== "relation" || simulation.gone.has(wholeOf(key))) continue;
    const column = simulation.columns.get(table.objid)?.find((each) => each.number === number);
    if (column === undefined || column.created || column.generated !== "") continue;
    byTable.set(table.objid, [...(byTable.get(table.objid) ?? []), number]);
  }
  return [...byTable].map(([relid, numbers]) => ({ relid, numbers }));
}

/** Entries that belong to another object and go with it. */
const satellites = new Set([
  "TABLE DATA",
  "SEQUENCE SET",
  "SEQUENCE OWNED BY",
  "MATERIALIZED VIEW DATA",
  "COMMENT",
  "ACL",
  "ROW SECURITY",
  "DEFAULT",
  "TABLE ATTACH",
  "INDEX ATTACH",
  "SECURITY LABEL",
  "PUBLICATION TABLE",
]);

function effectObjects(simulation: Simulation, catalog: Catalog): EffectObject[] {
  const result = new Map<string, EffectObject>();
  const put = (entry: Entry, change: EffectObject["change"], by: EffectObject["by"]) => {
    const { key, kind, schema, name } = entry;
    if (!result.has(key)) result.set(key, { key, kind, schema, name, change, by });
  };
  const destroyed = destroyedEntries(simulation, catalog);
  const created = new Map([...simulation.created.values()].map((made) => [entryKeyOf(made), made]));
  for (const [entry, by] of destroyed) put(entry, created.has(entry.key) ? "changed" : "destroyed", by);
  const inlined = inlinedInTables(simulation, new Set([...destroyed.keys()].map((entry) => addressOf(entry))));
  for (const entry of catalog.entries) {
    const address = addressOf(entry);
    const satellite = satellites.has(entry.kind);
    if (!satellite && simulation.changed.has(address)) put(entry, "changed", "statement");
    else if (!satellite && inlined.has(address)) put(entry, "changed", "cascade");
    else if (simulation.renamed.has(wholeOf(address))) put(entry, "changed", "statement");
    else if (entry.kind === "COMMENT" && simulation.commented.has(wholeOf(address))) put(entry, "changed", "statement");
    else if (entry.kind === "ACL" && simulation.granted.has(wholeOf(address))) put(entry, "changed", "statement");
    else if (partOfChanged(simulation, entry, address)) put(entry, "changed", "cascade");
  }
  for (const [key, made] of created)
    if (!result.has(key))
      result.set(key, {
        key,
        kind: made.kind,
        schema: made.schema,
        name: made.name,
        change: "created",
        by: "statement",
      });
  return [...result.values()];
}

/** Entries worded with a changed table's columns: its data, defaults and ATTACH, and the row-level security switch. */
function partOfChanged(simulation: Simulation, entry: Entry, address: AddressKey): boolean {
  const worded = new Set(["TABLE DATA", "DEFAULT", "TABLE ATTACH", "ROW SECURITY", "SEQUENCE OWNED BY"]);
  return worded.has(entry.kind) && simulation.changed.has(wholeOf(address));
}

function addressOf(entry: Entry): AddressKey {
  const { classid, objid, objsubid } = entry.address;
  return addressKey(classid, objid, objsubid);
}

function destroyedEntries(simulation: Simulation, catalog: Catalog): Map<Entry, EffectObject["by"]> {
  const destroyed = new Map<Entry, EffectObject["by"]>();
  const keys = new Set<string>();
  for (const entry of catalog.entries) {
    const address = addressOf(entry);
    const reason = simulation.gone.get(address) ?? simulation.gone.get(wholeOf(address));
    if (reason === undefined) continue;
    destroyed.set(entry, reason === "named" ? "statement" : "cascade");
    keys.add(entry.key);
  }
  for (const entry of catalog.entries)
    if (!destroyed.has(entry) && satellites.has(entry.kind) && entry.dependencies.some((key) => keys.has(key)))
      destroyed.set(entry, "cascade");
  return destroyed;
}

/** Tables and domains whose CREATE text holds a default or a check that goes. */
function inlinedInTables(simulation: Simulation, destroyed: ReadonlySet<AddressKey>): Set<AddressKey> {
  const changed = new Set<AddressKey>();
  for (const key of simulation.gone.keys()) {
    const whole = wholeOf(key);
    if (whole !== key) changed.add(whole);
    const object = simulation.byAddress.get(whole);
    if (object === undefined || object.relid === null || destroyed.has(whole)) continue;
    if (object.family !== "default" && object.family !== "constraint") continue;
    changed.add(addressKey(classOid.relation, object.relid));
    changed.add(addressKey(classOid.type, object.relid));
  }
  return changed;
}

function entryKeyOf(made: { kind: string; schema: string | null; name: string }): string {
  return entryKey({ ...made, owner: null });
}
