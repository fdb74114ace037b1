import {
  type AddressKey,
  addressKey,
  type CatalogColumn,
  classOid,
  type DependencyGraph,
  type NamedObject,
} from "./dependency-graph.ts";
import { type DependencyIndex, type DropReason, dropClosure, indexDependencies, wholeOf } from "./drop-closure.ts";
import { type LockMode, strongerMode } from "./lock-modes.ts";

/** A named object as the statements so far have left it. */
export interface SimulatedObject {
  readonly classid: number;
  readonly objid: number;
  readonly family: string;
  schema: string | null;
  name: string;
  readonly relid: number | null;
  readonly sub: string;
  readonly args: readonly number[];
  readonly other: number;
  /** Made by the rollback SQL itself: Postgres has no oid for it yet. */
  readonly created: boolean;
}

export interface SimulatedColumn extends Omit<CatalogColumn, "name"> {
  name: string;
  readonly created: boolean;
}

export interface Remark {
  readonly line: number;
  readonly statement: string;
  readonly why: string;
}

export interface PlannedLock {
  readonly oid: number;
  readonly mode: LockMode;
  readonly because: string;
}

/** What the statements do to the catalog, replayed in order on a copy of it; nothing runs. */
export interface Simulation {
  readonly graph: DependencyGraph;
  readonly index: DependencyIndex;
  readonly byFamily: Map<string, SimulatedObject[]>;
  readonly byAddress: Map<AddressKey, SimulatedObject>;
  readonly columns: Map<number, SimulatedColumn[]>;
  searchPath: readonly string[];
  readonly gone: Map<AddressKey, DropReason>;
  readonly changed: Map<AddressKey, string>;
  readonly renamed: Set<AddressKey>;
  /** Worded with a name that changed. */
  readonly touched: Set<AddressKey>;
  /** Tables whose row-level security is switched off. */
  readonly unguarded: Set<AddressKey>;
  /** Sequences that no column owns afterwards. */
  readonly disowned: Set<AddressKey>;
  /** Oids of partitions that stand alone afterwards. */
  readonly detached: Set<number>;
  /** By address, or `schema COLUMN table.column`. */
  readonly commented: Map<string, "set" | "removed">;
  readonly granted: Set<AddressKey>;
  /** Entry keys (kind, schema, name) that the SQL creates, by the object that they belong to. */
  readonly created: Map<string, { kind: string; schema: string | null; name: string; owner: AddressKey | null }>;
  readonly locks: Map<number, PlannedLock>;
  readonly opaque: Remark[];
  /** Statements that would fail as things stand. */
  readonly failures: Remark[];
  /** Effects that this version refuses. */
  readonly unsupported: Remark[];
  /** IF EXISTS on what is not there. */
  readonly absent: Remark[];
  nextOid: number;
}

export function startSimulation(graph: DependencyGraph): Simulation {
  const byFamily = new Map<string, SimulatedObject[]>();
  const byAddress = new Map<AddressKey, SimulatedObject>();
  const columns = new Map<number, SimulatedColumn[]>();
  for (const object of graph.objects) addObject(byFamily, byAddress, { ...object, created: false });
  for (const column of graph.columns) {
    const list = columns.get(column.relid) ?? [];
    list.push({ ...column, created: false });
    columns.set(column.relid, list);
  }
  return {
    graph,
    index: indexDependencies(graph.dependencies),
    byFamily,
    byAddress,
    columns,
    searchPath: graph.searchPath,
    gone: new Map(),
    changed: new Map(),
    renamed: new Set(),
    touched: new Set(),
    unguarded: new Set(),
    disowned: new Set(),
    detached: new Set(),
    commented: new Map(),
    granted: new Set(),
    created: new Map(),
    locks: new Map(),
    opaque: [],
    failures: [],
    unsupported: [],
    absent: [],
    nextOid: -1,
  };
}

function addObject(
  byFamily: Map<string, SimulatedObject[]>,
  byAddress: Map<AddressKey, SimulatedObject>,
  object: SimulatedObject,
): void {
  byAddress.set(addressKey(object.classid, object.objid), object);
  const list = byFamily.get(object.family);
  if (list === undefined) byFamily.set(object.family, [object]);
  else list.push(object);
}

/** Adds an object that the SQL creates, so that later statements find it. */
export function createObject(
  simulation: Simulation,
  object: Pick<SimulatedObject, "family" | "schema" | "name"> & Partial<NamedObject>,
): SimulatedObject {
  const made: SimulatedObject = {
    classid: object.classid ?? familyClass(object.family),
    objid: simulation.nextOid--,
    family: object.family,
    schema: object.schema,
    name: object.name,
    relid: object.relid ?? null,
    sub: object.sub ?? "",
    args: object.args ?? [],
    other: object.other ?? 0,
    created: true,
  };
  addObject(simulation.byFamily, simulation.byAddress, made);
  return made;
}

function familyClass(family: string): number {
  return (classOid as Record<string, number>)[family] ?? 0;
}

export function keyOf(object: Pick<SimulatedObject, "classid" | "objid">): AddressKey {
  return addressKey(object.classid, object.objid);
}

export function isGone(simulation: Simulation, object: SimulatedObject): boolean {
  return simulation.gone.has(keyOf(object));
}

/** A person's name for an object: `table public.orders`, `column note of public.orders`. */
export function describe(simulation: Simulation, key: AddressKey): string {
  const object = simulation.byAddress.get(wholeOf(key));
  if (object === undefined) return `object ${key}`;
  const own = object.schema === null ? object.name : `${object.schema}.${object.name}`;
  const number = Number(key.slice(key.lastIndexOf("/") + 1));
  if (number > 0) {
    const column = simulation.columns.get(object.objid)?.find((each) => each.number === number);
    return `column ${column?.name ?? number} of ${own}`;
  }
  const table = object.relid === null ? undefined : relationByOid(simulation, object.relid);
  if (object.family === "rule" && object.name === "_RETURN" && table !== undefined)
    return `view ${table.schema}.${table.name}`;
  if (table !== undefined && object.family !== "type")
    return `${object.family} ${object.name} on ${table.schema}.${table.name}`;
  return `${relationWord[object.sub] !== undefined && object.family === "relation" ? relationWord[object.sub] : object.family} ${own}`;
}

const relationWord: Record<string, string> = {
  r: "table",
  p: "table",
  f: "foreign table",
  v: "view",
  m: "materialized view",
  i: "index",
  I: "index",
  S: "sequence",
  c: "type",
};

export function relationByOid(simulation: Simulation, oid: number): SimulatedObject | undefined {
  return simulation.byAddress.get(addressKey(classOid.relation, oid));
}

export function lock(simulation: Simulation, oid: number, mode: LockMode, because: string): void {
  if (oid <= 0) return;
  const held = simulation.locks.get(oid);
  if (held !== undefined && strongerMode(held.mode, mode) === held.mode) return;
  simulation.locks.set(oid, { oid, mode, because });
}

/** Drops addresses as one command would, and notes what goes with them, what it locks and why it would fail. */
export function drop(
  simulation: Simulation,
  named: readonly AddressKey[],
  cascade: boolean,
  at: { line: number; statement: string },
): void {
  const closure = dropClosure(simulation.index, named, new Set(simulation.gone.keys()));
  for (const [key, owner] of closure.ownedBy)
    simulation.failures.push({
      ...at,
      why: `${describe(simulation, key)} cannot be dropped alone: ${describe(simulation, owner)} requires it`,
    });
  if (!cascade && closure.needCascade.length > 0)
    simulation.failures.push({
      ...at,
      why: `fails without CASCADE: ${listed(closure.needCascade.map((key) => describe(simulation, key)))} depend on ${named.map((key) => describe(simulation, key)).join(", ")}`,
    });
  for (const [key, reason] of closure.gone) {
    if (reason === "cascade" && !cascade) continue;
    if (simulation.gone.has(key)) continue;
    simulation.gone.set(key, reason);
    simulation.changed.delete(key);
    noteLocks(simulation, key);
    refuseOwnRecords(simulation, simulation.byAddress.get(key), at);
  }
}

/** The ledger and the archives' records are what an undo needs: no rollback SQL may touch them. */
export function refuseOwnRecords(
  simulation: Simulation,
  object: SimulatedObject | undefined,
  at: { line: number; statement: string },
): void {
  if (object === undefined || object.family === "type") return;
  if (object.schema !== "belay" && !(object.family === "schema" && object.name === "belay")) return;
  const why = `it would change ${describe(simulation, keyOf(object))}, Belay's own record`;
  simulation.unsupported.push({ ...at, why });
}

function noteLocks(simulation: Simulation, key: AddressKey): void {
  const object = simulation.byAddress.get(wholeOf(key));
  if (object === undefined) return;
  if (object.family === "relation") {
    const isIndex = object.sub === "i" || object.sub === "I";
    if (key !== wholeOf(key)) lock(simulation, object.objid, "ACCESS EXCLUSIVE", "loses a column");
    else if (isIndex) lock(simulation, object.other, "ACCESS EXCLUSIVE", `its index ${object.name} is dropped`);
    else lock(simulation, object.objid, "ACCESS EXCLUSIVE", "destroyed");
    if (key === wholeOf(key) && !isIndex) lockPartitionParent(simulation, object);
    return;
  }
  const table = object.relid;
  if (table === null || object.family === "type") return;
  if (object.family === "constraint" && object.sub === "f") {
    lock(simulation, table, "ACCESS EXCLUSIVE", `its foreign key ${object.name} is dropped`);
    lock(simulation, object.other, "ACCESS EXCLUSIVE", `foreign-key parent: ${object.name} is dropped`);
  } else if (relationByOid(simulation, table) !== undefined)
    lock(simulation, table, "ACCESS EXCLUSIVE", `its ${object.family} ${object.name} is dropped`);
}

function lockPartitionParent(simulation: Simulation, partition: SimulatedObject): void {
  for (const { child, parent } of simulation.graph.inherits)
    if (child === partition.objid && relationByOid(simulation, parent)?.sub === "p")
      lock(simulation, parent, "ACCESS EXCLUSIVE", `its partition ${partition.name} is dropped`);
}

export function listed(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
