import { typeOf } from "./alter-type.ts";
import { type AddressKey, addressKey, classOid } from "./dependency-graph.ts";
import { words } from "./describe.ts";
import { findTarget, namedFamilies } from "./drop.ts";
import { wholeOf } from "./drop-closure.ts";
import { findColumn, findNamed, findOfDomain, findOnRelation, findRangeVar, relatives } from "./resolve.ts";
import {
  change,
  keyOf,
  lock,
  noteAbsent,
  type Place,
  relationByOid,
  type SimulatedObject,
  type Simulation,
} from "./simulation.ts";
import { type Node, rangeName, stringsOf } from "./sql-nodes.ts";

/** RENAME of anything: the same object goes on under another key. */
export function renameStatement(simulation: Simulation, body: Node, at: Place): void {
  const objectType = body.renameType as string;
  if (objectType === "OBJECT_DOMCONSTRAINT") {
    renameOnDomain(simulation, body, at);
    return;
  }
  const found = renameTarget(simulation, body, objectType);
  if (found === null || found === undefined) {
    noteAbsent(
      simulation,
      body,
      at,
      `${words(objectType)} ${rangeName(body.relation as Node | undefined)} is not there`,
    );
    return;
  }
  const newName = body.newname as string;
  if (objectType === "OBJECT_COLUMN" || objectType === "OBJECT_ATTRIBUTE") {
    for (const each of [found, ...relatives(simulation, found)]) {
      const column = findColumn(simulation, each, body.subname as string);
      if (column === null) continue;
      column.name = newName;
      lock(simulation, each.objid, "ACCESS EXCLUSIVE", "a column is renamed");
      change(simulation, typeOf(simulation, each) ?? each, "a column is renamed");
      touchDependents(simulation, addressKey(classOid.relation, each.objid, column.number));
    }
    return;
  }
  touchDependents(simulation, keyOf(found));
  simulation.renamed.add(keyOf(found));
  change(simulation, found, `renamed to ${newName}`);
  const owner =
    found.relid !== null && found.family !== "type" ? found.relid : found.family === "relation" ? found.objid : 0;
  if (relationByOid(simulation, owner) !== undefined) lock(simulation, owner, "ACCESS EXCLUSIVE", "renamed");
  renameTwins(simulation, found, newName);
  if (found.family === "schema")
    for (const list of simulation.byFamily.values())
      for (const each of list)
        if (each.schema === found.name) {
          each.schema = newName;
          simulation.renamed.add(keyOf(each));
          touchDependents(simulation, keyOf(each));
        }
  found.name = newName;
}

function renameOnDomain(simulation: Simulation, body: Node, at: Place): void {
  const domain = findTarget(simulation, "OBJECT_DOMAIN", body.object as Node);
  const constraint = domain ? findOfDomain(simulation, domain, body.subname as string) : undefined;
  if (!domain || constraint === undefined) {
    const name = stringsOf(body.object).join(".");
    simulation.failures.push({ ...at, why: `constraint ${body.subname as string} of domain ${name} is not there` });
    return;
  }
  change(simulation, domain, "a constraint is renamed");
  constraint.name = body.newname as string;
}

/** A constraint and its index, a table and its row type share a name. */
function renameTwins(simulation: Simulation, object: SimulatedObject, newName: string): void {
  const twins =
    object.family === "constraint"
      ? (simulation.byFamily.get("relation") ?? []).filter((each) => each.objid === object.args[0])
      : (simulation.byFamily.get("constraint") ?? []).filter(
          (each) => object.family === "relation" && "iI".includes(object.sub) && each.args[0] === object.objid,
        );
  const rows = (simulation.byFamily.get("type") ?? []).filter(
    (each) => object.family === "relation" && each.relid === object.objid,
  );
  for (const twin of [...twins, ...rows]) {
    twin.name = newName;
    simulation.renamed.add(keyOf(twin));
  }
}

function renameTarget(simulation: Simulation, body: Node, objectType: string): SimulatedObject | null | undefined {
  const range = body.relation as Node | undefined;
  const part = {
    OBJECT_TRIGGER: "trigger",
    OBJECT_POLICY: "policy",
    OBJECT_RULE: "rule",
    OBJECT_TABCONSTRAINT: "constraint",
  };
  const family = (part as Record<string, string>)[objectType];
  if (family !== undefined)
    return findOnRelation(simulation, family, findRangeVar(simulation, range), body.subname as string);
  if (range !== undefined) return findRangeVar(simulation, range);
  if (body.object !== undefined) return findTarget(simulation, objectType, body.object as Node);
  const named = namedFamilies[objectType];
  return named === undefined ? undefined : findNamed(simulation, named, null, body.subname as string);
}

/** Whatever is worded with a name: views, policies, keys, and tables with the types and defaults of their columns. */
export function touchDependents(simulation: Simulation, key: AddressKey): void {
  for (const { from, type } of simulation.index.dependents.get(key) ?? []) {
    const dependent = simulation.byAddress.get(wholeOf(from));
    if (dependent === undefined || !isWorded(dependent, type)) continue;
    simulation.touched.add(keyOf(typeOf(simulation, dependent) ?? dependent));
    // An array type, a table's row type.
    if (dependent.family === "type" && type === "i") touchDependents(simulation, keyOf(dependent));
    const view =
      dependent.family === "rule" && dependent.relid !== null ? relationByOid(simulation, dependent.relid) : undefined;
    if (view !== undefined) simulation.touched.add(keyOf(view));
  }
}

/** A sequence does not name the table that owns it, nor a partition its parent: those are entries of their own. */
function isWorded({ family, sub }: SimulatedObject, dependency: string): boolean {
  return family !== "relation" || "vmiIc".includes(sub) || ("rpf".includes(sub) && dependency === "n");
}
