import { addressKey, classOid } from "./dependency-graph.ts";
import { isGone, relationByOid, type SimulatedColumn, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, wordsOf } from "./sql-nodes.ts";

/** Finds what a statement names, with the search_path in force at that statement; null when it is not there. */
export function findRelation(simulation: Simulation, schema: string | null, name: string): SimulatedObject | null {
  return findNamed(simulation, "relation", schema, name);
}

export function findRangeVar(simulation: Simulation, range: Node | undefined): SimulatedObject | null {
  if (range === undefined) return null;
  return findRelation(simulation, (range.schemaname as string | undefined) ?? null, range.relname as string);
}

/** `names` as `schema.name` or `name`; families without schemas ignore the search_path. */
export function findNamed(
  simulation: Simulation,
  family: string,
  schema: string | null,
  name: string,
  accept: (object: SimulatedObject) => boolean = () => true,
): SimulatedObject | null {
  const matching = (simulation.byFamily.get(family) ?? []).filter(
    (object) => object.name === name && !isGone(simulation, object) && accept(object),
  );
  if (schema !== null) return matching.find((object) => object.schema === schema) ?? null;
  if (matching.some((object) => object.schema === null)) return matching[0] ?? null;
  const path = family === "type" ? ["pg_catalog", ...simulation.searchPath] : simulation.searchPath;
  for (const each of path) {
    const hit = matching.find((object) => object.schema === each);
    if (hit !== undefined) return hit;
  }
  return null;
}

/** The trigger, policy, rule or constraint of a relation. */
export function findOnRelation(
  simulation: Simulation,
  family: string,
  relation: SimulatedObject | null,
  name: string,
): SimulatedObject | null {
  if (relation === null) return null;
  const found = (simulation.byFamily.get(family) ?? []).find(
    (object) => object.relid === relation.objid && object.name === name && !isGone(simulation, object),
  );
  return found ?? null;
}

/** The constraint of a domain. */
export function findOfDomain(
  simulation: Simulation,
  domain: SimulatedObject,
  name: string,
): SimulatedObject | undefined {
  return (simulation.byFamily.get("constraint") ?? []).find(
    (each) => each.relid === domain.objid && each.name === name && !isGone(simulation, each),
  );
}

export function splitName(names: readonly string[]): { schema: string | null; name: string } {
  return { schema: names.length > 1 ? names[names.length - 2]! : null, name: names[names.length - 1] ?? "" };
}

/** Type oid of a TypeName node; null when it is not there or written as `table.column%TYPE`. */
export function findType(simulation: Simulation, type: Node | undefined): SimulatedObject | null {
  if (type === undefined || type.pct_type === true) return null;
  const { schema, name } = splitName(wordsOf(type.names));
  const base = findNamed(simulation, "type", schema, name);
  if (base === null || !Array.isArray(type.arrayBounds) || type.arrayBounds.length === 0) return base;
  return simulation.byAddress.get(addressKey(classOid.type, base.other)) ?? null;
}

const routineKinds: Record<string, string> = {
  OBJECT_FUNCTION: "fw",
  OBJECT_PROCEDURE: "p",
  OBJECT_AGGREGATE: "a",
  OBJECT_ROUTINE: "fwap",
};

/** A function, procedure or aggregate by name and argument types; without arguments only when the name is unique. */
export function findRoutine(simulation: Simulation, node: Node, objectType: string): SimulatedObject | null {
  const { schema, name } = splitName(wordsOf(node.objname));
  const kinds = routineKinds[objectType] ?? "fwap";
  if (node.args_unspecified === true)
    return findNamed(simulation, "routine", schema, name, (object) => kinds.includes(object.sub));
  const wanted = argumentTypes(simulation, node);
  const all = objectType === "OBJECT_PROCEDURE" ? allArguments(simulation, node) : wanted;
  return findNamed(
    simulation,
    "routine",
    schema,
    name,
    (object) => kinds.includes(object.sub) && (sameArgs(object.args, wanted) || sameArgs(object.args, all)),
  );
}

function argumentTypes(simulation: Simulation, node: Node): number[] {
  return ((node.objargs as Node[] | undefined) ?? []).map(
    (argument) => findType(simulation, argument.TypeName as Node | undefined)?.objid ?? -1,
  );
}

function allArguments(simulation: Simulation, node: Node): number[] {
  return ((node.objfuncargs as Node[] | undefined) ?? []).map((argument) => {
    const parameter = argument.FunctionParameter as Node | undefined;
    return findType(simulation, parameter?.argType as Node | undefined)?.objid ?? -1;
  });
}

/** Input argument types of a CREATE FUNCTION. */
export function parameterTypes(simulation: Simulation, parameters: readonly Node[]): number[] {
  return parameters
    .map((each) => each.FunctionParameter as Node)
    .filter((each) => each.mode !== "FUNC_PARAM_OUT" && each.mode !== "FUNC_PARAM_TABLE")
    .map((each) => findType(simulation, each.argType as Node | undefined)?.objid ?? -1);
}

export function sameArgs(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((each, position) => each === other[position]);
}

export function findColumn(simulation: Simulation, relation: SimulatedObject, name: string): SimulatedColumn | null {
  const columns = simulation.columns.get(relation.objid) ?? [];
  const found = columns.find(
    (column) =>
      column.name === name && !simulation.gone.has(addressKey(classOid.relation, relation.objid, column.number)),
  );
  return found ?? null;
}

/** Children by inheritance and partitions, all levels, that are still there. */
export function descendants(simulation: Simulation, oid: number): number[] {
  const children = simulation.inherits.filter((each) => each.parent === oid).map((each) => each.child);
  return children.flatMap((child) => [child, ...descendants(simulation, child)]);
}

/** Those that are still there. */
export function relatives(simulation: Simulation, relation: SimulatedObject): SimulatedObject[] {
  return descendants(simulation, relation.objid)
    .map((oid) => relationByOid(simulation, oid))
    .filter((each): each is SimulatedObject => each !== undefined && !isGone(simulation, each));
}
