import { addressKey, classOid } from "./dependency-graph.ts";
import { words } from "./describe.ts";
import { drop } from "./destroy.ts";
import { findNamed, findOnRelation, findRelation, findRoutine, findType, splitName } from "./resolve.ts";
import { keyOf, noteAbsent, type Place, relationByOid, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, stringsOf, wordsOf } from "./sql-nodes.ts";

const relationKinds: Record<string, string> = {
  OBJECT_TABLE: "rp",
  OBJECT_FOREIGN_TABLE: "f",
  OBJECT_VIEW: "v",
  OBJECT_MATVIEW: "m",
  OBJECT_INDEX: "iI",
  OBJECT_SEQUENCE: "S",
};

/** Families named by one (perhaps qualified) name, by the parser's object type. */
export const namedFamilies: Record<string, string> = {
  OBJECT_SCHEMA: "schema",
  OBJECT_EXTENSION: "extension",
  OBJECT_STATISTIC_EXT: "statistics",
  OBJECT_COLLATION: "collation",
  OBJECT_CONVERSION: "conversion",
  OBJECT_TSCONFIGURATION: "tsconfig",
  OBJECT_TSDICTIONARY: "tsdict",
  OBJECT_TSPARSER: "tsparser",
  OBJECT_TSTEMPLATE: "tstemplate",
  OBJECT_LANGUAGE: "language",
  OBJECT_PUBLICATION: "publication",
  OBJECT_SUBSCRIPTION: "subscription",
  OBJECT_EVENT_TRIGGER: "event_trigger",
  OBJECT_FDW: "fdw",
  OBJECT_FOREIGN_SERVER: "server",
  OBJECT_ACCESS_METHOD: "access_method",
};

const onRelationFamilies: Record<string, string> = {
  OBJECT_TRIGGER: "trigger",
  OBJECT_POLICY: "policy",
  OBJECT_RULE: "rule",
  OBJECT_TABCONSTRAINT: "constraint",
};

/** Finds what a DROP, COMMENT, ALTER ... OWNER or SET SCHEMA names; null when absent; undefined when not understood. */
export function findTarget(
  simulation: Simulation,
  objectType: string,
  item: Node | undefined,
): SimulatedObject | null | undefined {
  if (relationKinds[objectType] !== undefined) {
    const { schema, name } = splitName(stringsOf(item));
    return findRelation(simulation, schema, name);
  }
  const family = namedFamilies[objectType];
  if (family !== undefined) {
    const { schema, name } = splitName(stringsOf(item));
    return findNamed(simulation, family, schema, name);
  }
  const partOf = onRelationFamilies[objectType];
  if (partOf !== undefined) {
    const names = stringsOf(item);
    const { schema, name } = splitName(names.slice(0, -1));
    return findOnRelation(simulation, partOf, findRelation(simulation, schema, name), names[names.length - 1] ?? "");
  }
  if (objectType === "OBJECT_TYPE" || objectType === "OBJECT_DOMAIN")
    return findType(simulation, (item?.TypeName as Node | undefined) ?? { names: wordsOf(item).map(asString) });
  if (/^OBJECT_(FUNCTION|PROCEDURE|AGGREGATE|ROUTINE)$/.test(objectType)) {
    const call = item?.ObjectWithArgs as Node | undefined;
    return call === undefined ? undefined : findRoutine(simulation, call, objectType);
  }
  return findRarer(simulation, objectType, item);
}

function findRarer(
  simulation: Simulation,
  objectType: string,
  item: Node | undefined,
): SimulatedObject | null | undefined {
  if (objectType === "OBJECT_OPERATOR") {
    const call = item?.ObjectWithArgs as Node | undefined;
    if (call === undefined) return undefined;
    const { schema, name } = splitName(wordsOf(call.objname));
    const types = nodes(call.objargs).map((each) => findType(simulation, each.TypeName as Node)?.objid ?? 0);
    return findNamed(simulation, "operator", schema, name, (each) => each.args.join() === types.join());
  }
  if (objectType === "OBJECT_CAST") {
    const types = nodes((item?.List as Node | undefined)?.items).map(
      (each) => findType(simulation, each.TypeName as Node)?.objid ?? 0,
    );
    return (simulation.byFamily.get("cast") ?? []).find((each) => each.args.join() === types.join()) ?? null;
  }
  if (objectType === "OBJECT_TRANSFORM") {
    const [type, language] = nodes((item?.List as Node | undefined)?.items);
    const oid = findType(simulation, type?.TypeName as Node | undefined)?.objid ?? 0;
    const found = (simulation.byFamily.get("transform") ?? []).find(
      (each) => each.args[0] === oid && each.sub === stringsOf(language)[0],
    );
    return found ?? null;
  }
  if (objectType === "OBJECT_OPCLASS" || objectType === "OBJECT_OPFAMILY") {
    const [method, ...names] = stringsOf(item);
    const { schema, name } = splitName(names);
    const family = objectType === "OBJECT_OPCLASS" ? "opclass" : "opfamily";
    return findNamed(simulation, family, schema, name, (each) => each.sub === method);
  }
  return undefined;
}

/** DROP of every kind that names catalog objects. */
export function dropStatement(simulation: Simulation, body: Node, at: Place): void {
  const objectType = body.removeType as string;
  const targets: SimulatedObject[] = [];
  for (const item of nodes(body.objects)) {
    const target = findTarget(simulation, objectType, item);
    const wrongKind =
      target && relationKinds[objectType] !== undefined && !relationKinds[objectType].includes(target.sub);
    if (target === undefined) {
      simulation.unsupported.push({ ...at, why: `Belay cannot tell what ${words(objectType)} this drops` });
    } else if (target === null) {
      const name = stringsOf(item).join(".") || nameOf(item);
      noteAbsent(simulation, body, at, `${words(objectType)} ${name} is not there`);
    } else if (wrongKind) {
      simulation.failures.push({ ...at, why: `${target.schema}.${target.name} is not a ${words(objectType)}` });
    } else targets.push(target);
  }
  if (targets.length === 0) return;
  drop(simulation, targets.map(dropAddress(simulation)), body.behavior === "DROP_CASCADE", at);
  for (const target of targets) forgetCreated(simulation, target);
}

/** A composite type's own relation and a table's row type are dropped through their owner. */
function dropAddress(simulation: Simulation): (object: SimulatedObject) => string {
  return (object) => {
    const relation =
      object.family === "type" && object.relid !== null ? relationByOid(simulation, object.relid) : undefined;
    if (relation !== undefined && relation.sub !== "c") return addressKey(classOid.type, object.objid);
    return keyOf(object);
  };
}

/** What the SQL itself made and drops again leaves no trace. */
function forgetCreated(simulation: Simulation, target: SimulatedObject): void {
  if (!target.created) return;
  for (const [key, made] of simulation.created)
    if (made.owner === keyOf(target) || key === keyOf(target)) simulation.created.delete(key);
}

function nameOf(item: Node | undefined): string {
  const call = item?.ObjectWithArgs as Node | undefined;
  const type = item?.TypeName as Node | undefined;
  return wordsOf(call?.objname ?? type?.names).join(".");
}

function asString(text: string): Node {
  return { String: { sval: text } };
}
