import { classOid } from "./dependency-graph.ts";
import { words } from "./describe.ts";
import { findTarget } from "./drop.ts";
import { addDependency, cutDependencies } from "./drop-closure.ts";
import { touchDependents } from "./rename.ts";
import { findNamed, findRangeVar } from "./resolve.ts";
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
  if (found.family === "relation") lock(simulation, found.objid, "ACCESS EXCLUSIVE", "moved to another schema");
  for (const each of parts(simulation, found)) {
    if (each.sub === "S") lock(simulation, each.objid, "ACCESS EXCLUSIVE", "moved to another schema");
    if (found.family === "extension") touchDependents(simulation, keyOf(each));
    moveTo(simulation, each, schema);
  }
  moveTo(simulation, found, schema);
}

/** What goes with the schema from now on: the new one, if the object's own it was at all (changeDependencyFor). */
function moveTo(simulation: Simulation, object: SimulatedObject, schema: string): void {
  const from = keyOf(object);
  const was = simulation.index.owners
    .get(from)
    ?.find(({ to, type }) => type === "n" && to.startsWith(`${classOid.schema}/`));
  const now = findNamed(simulation, "schema", null, schema);
  if (was !== undefined) cutDependencies(simulation.index, from, ({ to }) => to === was.to);
  if (was !== undefined && now !== null) addDependency(simulation.index, { from, to: keyOf(now), type: "n" });
  simulation.renamed.add(from);
  // An extension is in no schema itself.
  if (object.family !== "extension") object.schema = schema;
}

const owned = new Set(["a", "i"]);

/** What moves along: indexes, row and array types, owned sequences, constraints; all that an extension holds. */
function parts(simulation: Simulation, moved: SimulatedObject): SimulatedObject[] {
  const below = (simulation.index.dependents.get(keyOf(moved)) ?? []).flatMap(({ from, type }) => {
    const object = simulation.byAddress.get(from);
    return object === undefined ? [] : [{ object, type }];
  });
  if (moved.family === "extension") return below.flatMap(({ object, type }) => (type === "e" ? [object] : []));
  const families = ["relation", "type", "constraint"].flatMap((family) => simulation.byFamily.get(family) ?? []);
  const sequences = new Set(
    below.filter(({ object, type }) => object.sub === "S" && owned.has(type)).map(({ object }) => object),
  );
  const own = families.filter(
    (each) =>
      (each.family === "relation" && each.other === moved.objid && "iI".includes(each.sub)) ||
      (each.family !== "relation" && each.relid === moved.objid) ||
      (each.family === "relation" && moved.family === "type" && each.objid === moved.relid) ||
      sequences.has(each),
  );
  const types = new Set(
    [moved, ...own].flatMap(({ family, other }) => (family === "type" && other > 0 ? [other] : [])),
  );
  return [...own, ...families.filter(({ family, objid }) => family === "type" && types.has(objid))];
}
