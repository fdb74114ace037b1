import type { AlterCommand } from "./alter-command.ts";
import { addDependency, cutDependencies } from "./drop-closure.ts";
import { noteCreated } from "./made.ts";
import { findRangeVar } from "./resolve.ts";
import { change, keyOf, lock, type SimulatedObject, type Simulation } from "./simulation.ts";
import type { Node } from "./sql-nodes.ts";

export function attachPartition(simulation: Simulation, { relation, command }: AlterCommand): void {
  const child = otherTable(simulation, command);
  if (child === null) return;
  noteCreated(simulation, "TABLE ATTACH", child, child.name);
  simulation.inherits.push({ child: child.objid, parent: relation.objid });
  addDependency(simulation.index, { from: keyOf(child), to: keyOf(relation), type: "a" });
  lock(simulation, child.objid, "ACCESS EXCLUSIVE", `becomes a partition of ${nameOf(relation)}`);
}

/** The partition, its indexes, constraints and triggers stand alone afterwards: dropping the parent leaves them. */
export function detachPartition(simulation: Simulation, { relation, command }: AlterCommand): void {
  const child = otherTable(simulation, command);
  if (child === null) return;
  simulation.detached.add(child.objid);
  part(simulation, child, relation);
  for (const each of ["relation", "constraint", "trigger"].flatMap((family) => simulation.byFamily.get(family) ?? []))
    if (each.relid === child.objid || (each.family === "relation" && each.other === child.objid)) {
      cutDependencies(simulation.index, keyOf(each), ({ type }) => type === "P" || type === "S");
      simulation.touched.add(keyOf(each));
    }
  dropKeysInto(simulation, child);
  lock(simulation, child.objid, "ACCESS EXCLUSIVE", `stops being a partition of ${nameOf(relation)}`);
}

/**
 * A foreign key into a partitioned table has a part for each partition; detaching drops that part and leaves the key
 * (DetachPartitionFinalize in PostgreSQL's tablecmds.c).
 */
function dropKeysInto(simulation: Simulation, partition: SimulatedObject): void {
  const keys = (simulation.byFamily.get("constraint") ?? []).filter(({ sub }) => sub === "f");
  const parts = new Set(keys.filter((each) => each.other === partition.objid && isPartOfKey(simulation, each)));
  for (const part of parts)
    for (const below of keys) if (ownersOf(simulation, below).includes(keyOf(part))) parts.add(below);
  for (const part of parts) {
    cutDependencies(simulation.index, keyOf(part), () => true);
    if (part.relid !== null)
      lock(simulation, part.relid, "ACCESS EXCLUSIVE", `its foreign key ends to lead into ${nameOf(partition)}`);
  }
}

function isPartOfKey(simulation: Simulation, key: SimulatedObject): boolean {
  return ownersOf(simulation, key).some((owner) => simulation.byAddress.get(owner)?.family === "constraint");
}

function ownersOf(simulation: Simulation, object: SimulatedObject): string[] {
  const owners = simulation.index.owners.get(keyOf(object)) ?? [];
  return owners.flatMap(({ to, type }) => (type === "i" || type === "P" ? [to] : []));
}

export function addParent(simulation: Simulation, { relation, command }: AlterCommand): void {
  change(simulation, relation, "its parents change");
  const parent = otherTable(simulation, command);
  if (parent === null) return;
  simulation.inherits.push({ child: relation.objid, parent: parent.objid });
  addDependency(simulation.index, { from: keyOf(relation), to: keyOf(parent), type: "n" });
  lock(simulation, parent.objid, "SHARE UPDATE EXCLUSIVE", `gains ${nameOf(relation)} as a child`);
}

export function dropParent(simulation: Simulation, { relation, command }: AlterCommand): void {
  change(simulation, relation, "its parents change");
  const parent = otherTable(simulation, command);
  if (parent === null) return;
  part(simulation, relation, parent);
  lock(simulation, parent.objid, "ACCESS SHARE", `loses ${nameOf(relation)} as a child`);
}

function part(simulation: Simulation, child: SimulatedObject, parent: SimulatedObject): void {
  simulation.inherits = simulation.inherits.filter(
    (each) => each.child !== child.objid || each.parent !== parent.objid,
  );
  cutDependencies(simulation.index, keyOf(child), ({ to }) => to === keyOf(parent));
}

function otherTable(simulation: Simulation, command: Node): SimulatedObject | null {
  const definition = command.def as Node | undefined;
  return findRangeVar(
    simulation,
    ((definition?.PartitionCmd as Node | undefined)?.name ?? definition?.RangeVar ?? definition) as Node,
  );
}

function nameOf({ schema, name }: SimulatedObject): string {
  return `${schema}.${name}`;
}
