import { byKindAndName } from "../../catalog/order.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { EffectObject } from "../types.ts";
import type { DependencyGraph } from "./dependency-graph.ts";
import { wholeOf } from "./drop-closure.ts";
import type { LockMode } from "./lock-modes.ts";
import { effectObjects } from "./objects.ts";
import {
  keyOf,
  type Remark,
  type RowWrite,
  relationByOid,
  type SimulatedLock,
  type Simulation,
  startSimulation,
} from "./simulation.ts";
import { type PlacedStatement, replayStatement } from "./statements.ts";
import { type TakenBy, takenWatch } from "./taken-by.ts";

export interface PlannedLock {
  readonly oid: number;
  readonly mode: LockMode;
  readonly because: string;
  /** A statement of the SQL itself may change its rows. */
  readonly mayChangeRows: boolean;
  /** A sequence that goes with its column: nobody waits for it who does not wait for the table. */
  readonly withTable: boolean;
}

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
  /** Statements that write rows; each is among `opaque` too. */
  readonly writes: readonly RowWrite[];
  readonly opaque: readonly Remark[];
  readonly failures: readonly Remark[];
  readonly unsupported: readonly Remark[];
  readonly absent: readonly Remark[];
  /** Which unit of the set did it. */
  readonly takenBy: TakenBy;
}

/** Replays the statements on a copy of the catalog's dependency graph. Pure: nothing runs, nothing is locked. */
export function resolveEffect(
  statements: readonly PlacedStatement[],
  graph: DependencyGraph,
  catalog: Catalog,
): ResolvedEffect {
  const simulation = startSimulation(graph);
  const taken = takenWatch(simulation, catalog);
  for (const [at, statement] of statements.entries()) {
    // Each unit of a set begins as on a connection of its own.
    if (statements[at - 1] !== undefined && statements[at - 1]!.unit !== statement.unit) {
      taken.endOfUnit(statements[at - 1]!.unit ?? 0);
      simulation.searchPath = graph.searchPath;
      simulation.role = graph.role;
    }
    replayStatement(simulation, statement);
  }
  // In an order that stays the same however much of the catalog was read.
  const objects = effectObjects(simulation, catalog).sort(byKindAndName);
  return {
    objects,
    takenBy: taken.settle(objects, statements.at(-1)?.unit ?? 0),
    gone: [...simulation.gone.keys()],
    lostTables: goneRelations(simulation, "r"),
    lostColumns: lostColumns(simulation),
    lostSequences: [...new Set([...goneRelations(simulation, "S"), ...simulation.valued])],
    lostIndexes: goneRelations(simulation, "iI"),
    locks: [...simulation.locks.values()].flatMap((each) => plannedLock(simulation, each)),
    writes: simulation.writes,
    opaque: simulation.opaque,
    failures: simulation.failures,
    unsupported: simulation.unsupported,
    absent: simulation.absent,
  };
}

function plannedLock(simulation: Simulation, { oid, mode, reasons }: SimulatedLock): PlannedLock[] {
  const relation = relationByOid(simulation, oid);
  if (relation === undefined || relation.created || !"rpvmfS".includes(relation.sub)) return [];
  const gone = simulation.gone.get(keyOf(relation));
  const withTable = relation.sub === "S" && gone !== undefined && gone !== "named";
  const because = gone === undefined ? inShort(reasons) : "destroyed";
  return [{ oid, mode, because, mayChangeRows: simulation.writable.has(oid), withTable }];
}

/** The first reasons; that it is altered says nothing beside another. */
function inShort(reasons: readonly string[]): string {
  const telling = reasons.filter((each) => each !== "altered");
  if (telling.length === 0) return reasons[0] ?? "altered";
  return telling.length > 2 ? `${telling[0]}; and ${telling.length - 1} more such` : telling.join("; ");
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
