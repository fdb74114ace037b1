import type { AlterCommand } from "./alter-command.ts";
import { drop } from "./destroy.ts";
import { createdKeys, noteCreated } from "./made.ts";
import { findOnRelation, findRangeVar } from "./resolve.ts";
import { change, keyOf, lock, noteAbsent, type Simulation } from "./simulation.ts";
import type { Node } from "./sql-nodes.ts";

export function addConstraint(simulation: Simulation, { relation, family, command }: AlterCommand): void {
  const constraint = (command.def as Node).Constraint as Node;
  const created = createdKeys.ofConstraint(relation.name, constraint);
  if (created === null) for (const each of family) change(simulation, each, "gains a constraint");
  else noteCreated(simulation, created.kind, relation, created.name);
  lockReferenced(simulation, constraint);
}

export function dropConstraint(simulation: Simulation, { relation, family, command, at }: AlterCommand): void {
  const name = command.name as string;
  const found = family.flatMap((each) => findOnRelation(simulation, "constraint", each, name) ?? []);
  const own = found.find((each) => each.relid === relation.objid);
  if (own === undefined) {
    noteAbsent(simulation, command, at, `constraint ${name} of ${relation.schema}.${relation.name} is not there`);
    return;
  }
  // Only checks and NOT NULLs go down to children by name; the others by pg_depend.
  const named = own.sub === "c" || own.sub === "n" ? found : [own];
  drop(simulation, named.map(keyOf), command.behavior === "DROP_CASCADE", at);
  if (own.sub === "c" || own.sub === "n")
    for (const each of family) change(simulation, each, `loses constraint ${name}`);
}

export function lockReferenced(simulation: Simulation, constraint: Node | undefined): void {
  const parent = findRangeVar(simulation, constraint?.pktable as Node | undefined);
  if (parent !== null) lock(simulation, parent.objid, "SHARE ROW EXCLUSIVE", "parent of a foreign key that comes");
}
