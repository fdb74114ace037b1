import {
  type AddressKey,
  addressKey,
  type CatalogColumn,
  classOid,
  type DependencyGraph,
  type NamedObject,
} from "./dependency-graph.ts";
import { type DependencyIndex, type DropReason, indexDependencies } from "./drop-closure.ts";
import { type LockMode, strongerMode } from "./lock-modes.ts";
import type { Node } from "./sql-nodes.ts";

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
  /** Of a routine that the SQL makes: its name with argument names and types, as a comment on it is named. */
  readonly signature?: string;
}

export interface SimulatedColumn extends Omit<CatalogColumn, "name"> {
  name: string;
  readonly created: boolean;
}

export interface Remark {
  readonly line: number;
  /** File of the rollback SQL, and the index of its unit in the set; absent where only one SQL is looked at. */
  readonly file?: string;
  readonly unit?: number;
  readonly statement: string;
  readonly why: string;
  /** What a DROP without CASCADE leaves standing, and which therefore makes it fail. */
  readonly inTheWay?: readonly { readonly address: AddressKey; readonly name: string }[];
}

/** The statement that is replayed: its place and its first words. */
export type Place = Pick<Remark, "line" | "file" | "unit" | "statement">;

export interface SimulatedLock {
  readonly oid: number;
  readonly mode: LockMode;
  /** Why this mode; weaker locks' reasons are left out. */
  readonly reasons: string[];
}

/** A statement that writes rows of a table that is there. */
export interface RowWrite extends Place {
  readonly oid: number;
  readonly verb: "insert" | "update" | "delete" | "merge" | "truncate" | "copy";
  /** The parser's node. */
  readonly node: Node;
  /** Of the whole statement; null where this is a part of another one. */
  readonly text: string | null;
  readonly alias: string | null;
  readonly only: boolean;
  /** Rows that an INSERT ... VALUES adds; else null. */
  readonly tuples: number | null;
}

/** What the statements do to the catalog, replayed in order on a copy of it; nothing runs. */
export interface Simulation {
  readonly graph: DependencyGraph;
  readonly index: DependencyIndex;
  readonly byFamily: Map<string, SimulatedObject[]>;
  readonly byAddress: Map<AddressKey, SimulatedObject>;
  readonly columns: Map<number, SimulatedColumn[]>;
  searchPath: readonly string[];
  /** Whom the SQL acts as; null when that cannot be told. */
  role: string | null;
  inherits: { readonly child: number; readonly parent: number }[];
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
  /** Entries that the SQL creates, with the object that they belong to; `role`: whose default privileges they are. */
  readonly created: Map<
    string,
    { kind: string; schema: string | null; name: string; owner: AddressKey | null; role?: string | undefined }
  >;
  readonly locks: Map<number, SimulatedLock>;
  /** Oids of relations whose rows a statement of the SQL itself may change, beyond what hangs on them. */
  readonly writable: Set<number>;
  readonly writes: RowWrite[];
  /** Text of the statement that is replayed, and its own node. */
  current: { readonly text: string; readonly node: unknown };
  /** Oids of sequences that stay, and whose value is set. */
  readonly valued: Set<number>;
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
    role: graph.role,
    inherits: [...graph.inherits],
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
    writable: new Set(),
    writes: [],
    current: { text: "", node: null },
    valued: new Set(),
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
  object: Pick<SimulatedObject, "family" | "schema" | "name" | "signature"> & Partial<NamedObject>,
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
    signature: object.signature,
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

export function relationByOid(simulation: Simulation, oid: number): SimulatedObject | undefined {
  return simulation.byAddress.get(addressKey(classOid.relation, oid));
}

export function lock(simulation: Simulation, oid: number, mode: LockMode, because: string): void {
  if (oid <= 0) return;
  const held = simulation.locks.get(oid);
  if (held?.mode === mode) {
    if (!held.reasons.includes(because)) held.reasons.push(because);
  } else if (held === undefined || strongerMode(held.mode, mode) === mode)
    simulation.locks.set(oid, { oid, mode, reasons: [because] });
}

/** As lock, for a relation that a statement names or reaches so that its rows may change. */
export function lockForRows(simulation: Simulation, oid: number, mode: LockMode, because: string): void {
  if (oid > 0) simulation.writable.add(oid);
  lock(simulation, oid, mode, because);
}

export function change(simulation: Simulation, object: SimulatedObject, why: string): void {
  if (!isGone(simulation, object) && !object.created) simulation.changed.set(keyOf(object), why);
}

/** What a statement names and does not find: a failure, unless it says IF EXISTS (or IF NOT EXISTS). */
export function noteAbsent(simulation: Simulation, statement: Node, at: Place, why: string): void {
  (statement.missing_ok === true ? simulation.absent : simulation.failures).push({ ...at, why });
}
