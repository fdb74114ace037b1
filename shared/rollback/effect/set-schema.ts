import { words } from "./describe.ts";
import { findTarget } from "./drop.ts";
import { touchDependents } from "./rename.ts";
import { findRangeVar } from "./resolve.ts";
import { change, keyOf, lock, noteAbsent, type Place, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, rangeName } from "./sql-nodes.ts";

export function setSchema(simulation: Simulation, body: Node, at: Place): void {
  const objectType = body.objectType as string;
  const range = body.relation as Node | undefined;
  const found =
    range !== undefined ? findRangeVar(simulation, range) : findTarget(simulation, objectType, body.object as Node);
  if (!found) {
    noteAbsent(simulation, body, at, `${words(objectType)} ${rangeName(range)} is not there`);
    return;
  }
  const schema = body.newschema as string;
  touchDependents(simulation, keyOf(found));
  change(simulation, found, `moved to schema ${schema}`);
  simulation.renamed.add(keyOf(found));
  if (found.family === "relation") {
    lock(simulation, found.objid, "ACCESS EXCLUSIVE", "moved to another schema");
    for (const each of parts(simulation, found)) {
      each.schema = schema;
      if (each.sub === "S") lock(simulation, each.objid, "ACCESS EXCLUSIVE", "moved to another schema");
      simulation.renamed.add(keyOf(each));
    }
  }
  found.schema = schema;
}

/** Indexes, row type, owned sequences and constraints move with their table. */
function parts(simulation: Simulation, relation: SimulatedObject): SimulatedObject[] {
  const families = ["relation", "type", "constraint"].flatMap((family) => simulation.byFamily.get(family) ?? []);
  const owned = new Set(
    (simulation.index.dependents.get(keyOf(relation)) ?? [])
      .filter((each) => each.type !== "n")
      .map((each) => each.from),
  );
  return families.filter(
    (each) =>
      (each.family === "relation" && each.other === relation.objid && "iI".includes(each.sub)) ||
      (each.family !== "relation" && each.relid === relation.objid) ||
      (each.sub === "S" && owned.has(keyOf(each))),
  );
}
