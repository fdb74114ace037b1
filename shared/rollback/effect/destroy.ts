import { isKeptSchema } from "../../catalog/kept-schemas.ts";
import { listed } from "../../words.ts";
import { type AddressKey, classOid } from "./dependency-graph.ts";
import { columnWords, describe } from "./describe.ts";
import { dropClosure, wholeOf } from "./drop-closure.ts";
import {
  keyOf,
  lock,
  lockForRows,
  type Place,
  relationByOid,
  type SimulatedObject,
  type Simulation,
} from "./simulation.ts";

/** Drops addresses as one command would, and notes what goes with them, what it locks and why it would fail. */
export function drop(simulation: Simulation, named: readonly AddressKey[], cascade: boolean, at: Place): void {
  const before = new Set(simulation.gone.keys());
  const closure = dropClosure(simulation.index, named, before);
  for (const [key, owner] of closure.ownedBy)
    simulation.failures.push({
      ...at,
      why: `${describe(simulation, key)} cannot be dropped alone: ${describe(simulation, owner)} requires it`,
    });
  const stands = cascade ? [] : closure.needCascade;
  if (stands.length > 0) noteInTheWay(simulation, stands, named, at);
  const going = stands.length > 0 ? dropClosure(simulation.index, named, before, { restrict: true }) : closure;
  for (const [key, reason] of going.gone) {
    simulation.gone.set(key, reason);
    simulation.changed.delete(key);
    noteLocks(simulation, key);
    refuseOwnRecords(simulation, simulation.byAddress.get(wholeOf(key)), at);
  }
}

function noteInTheWay(
  simulation: Simulation,
  stands: readonly AddressKey[],
  named: readonly AddressKey[],
  at: Place,
): void {
  const names = [...new Set(stands.map((key) => describe(simulation, key)))];
  const verb = names.length === 1 ? "depends" : "depend";
  simulation.failures.push({
    ...at,
    why: `fails without CASCADE: ${listed(names)} ${verb} on ${listed(named.map((key) => describe(simulation, key)))}`,
    inTheWay: stands.map((address) => ({ address, name: describe(simulation, address) })),
  });
}

/** The ledger and the archives' records are what an undo needs: no rollback SQL may touch them. */
export function refuseOwnRecords(simulation: Simulation, object: SimulatedObject | undefined, at: Place): void {
  if (object === undefined) return;
  const schema = object.family === "schema" ? object.name : (object.schema ?? "");
  if (isKeptSchema(schema)) {
    const why = `it would change ${describe(simulation, keyOf(object))}, which a rollback keeps (belay quarantine list)`;
    simulation.unsupported.push({ ...at, why });
  }
  if (object.family === "type" || schema !== "belay") return;
  const why = `it would change ${describe(simulation, keyOf(object))}, Belay's own record`;
  simulation.unsupported.push({ ...at, why });
}

function noteLocks(simulation: Simulation, key: AddressKey): void {
  const object = simulation.byAddress.get(wholeOf(key));
  if (object === undefined) return;
  if (key !== wholeOf(key)) {
    lockForRows(simulation, object.objid, "ACCESS EXCLUSIVE", `loses ${columnWords(simulation, key)}`);
  } else if (object.family === "relation" && "iI".includes(object.sub)) {
    const ofConstraint = constraintAbove(simulation, object);
    if (ofConstraint === undefined) lock(simulation, object.other, "ACCESS EXCLUSIVE", `its index ${object.name} goes`);
  } else if (object.family === "relation") {
    lockForRows(simulation, object.objid, "ACCESS EXCLUSIVE", "destroyed");
    lockPartitionParent(simulation, object);
  } else if (object.relid !== null && object.family !== "type") lockTableOf(simulation, object, object.relid);
}

function lockTableOf(simulation: Simulation, object: SimulatedObject, table: number): void {
  if (object.family === "constraint" && object.sub === "f") lockForeignKey(simulation, object, table);
  else if (relationByOid(simulation, table) === undefined) return;
  else if (object.family === "default") {
    const column = simulation.columns.get(table)?.find((each) => String(each.number) === object.name);
    lock(simulation, table, "ACCESS EXCLUSIVE", `column ${column?.name ?? object.name} loses its default`);
  } else if (object.family !== "trigger" || object.sub !== "i")
    // Internal triggers are those of foreign keys, which are named themselves.
    lock(simulation, table, "ACCESS EXCLUSIVE", `its ${object.family} ${object.name} goes`);
}

/** How the reason of a lock on a foreign key's parent begins. */
export const parentOfForeignKey = "parent of foreign key";

/** Towards partitions the server keeps a copy of the foreign key under a name of its own: named is the first. */
function lockForeignKey(simulation: Simulation, key: SimulatedObject, table: number): void {
  const first = topConstraint(simulation, key);
  const owner = relationByOid(simulation, first.relid ?? table);
  lock(simulation, table, "ACCESS EXCLUSIVE", `its foreign key ${first.name} goes`);
  lock(
    simulation,
    key.other,
    "ACCESS EXCLUSIVE",
    `${parentOfForeignKey} ${first.name} on ${owner?.schema}.${owner?.name}, which goes`,
  );
}

function topConstraint(simulation: Simulation, key: SimulatedObject): SimulatedObject {
  const above = constraintAbove(simulation, key);
  return above === undefined || above === key ? key : topConstraint(simulation, above);
}

function constraintAbove(simulation: Simulation, object: SimulatedObject): SimulatedObject | undefined {
  const owner = simulation.index.owners
    .get(keyOf(object))
    ?.find(({ to, type }) => (type === "i" || type === "P") && to.startsWith(`${classOid.constraint}/`));
  return owner === undefined ? undefined : simulation.byAddress.get(owner.to);
}

function lockPartitionParent(simulation: Simulation, partition: SimulatedObject): void {
  for (const { child, parent } of simulation.inherits)
    if (child === partition.objid && relationByOid(simulation, parent)?.sub === "p")
      lock(simulation, parent, "ACCESS EXCLUSIVE", `its partition ${partition.name} goes`);
}
