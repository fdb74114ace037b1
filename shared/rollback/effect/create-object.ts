import { quoteIdent } from "../../catalog/identifiers.ts";
import { noteCreated } from "./made.ts";
import { findNamed, findOnRelation, findRangeVar, parameterTypes, sameArgs, splitName } from "./resolve.ts";
import { createObject, isGone, keyOf, lock, type Place, type Simulation } from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";
import { typeWords } from "./type-words.ts";

export function creationSchema(simulation: Simulation, schema: unknown): string {
  return typeof schema === "string" ? schema : (simulation.searchPath[0] ?? "public");
}

export function createType(simulation: Simulation, names: readonly string[], kind: string, at: Place): void {
  const { schema, name } = splitName(names);
  const home = creationSchema(simulation, schema);
  if (findNamed(simulation, "type", home, name) !== null) {
    simulation.failures.push({ ...at, why: `type ${home}.${name} is already there` });
    return;
  }
  noteCreated(simulation, kind, createObject(simulation, { family: "type", schema: home, name }), name);
}

export function createRoutine(simulation: Simulation, body: Node, at: Place): void {
  const { schema, name } = splitName(wordsOf(body.funcname));
  const home = creationSchema(simulation, schema);
  const args = parameterTypes(simulation, nodes(body.parameters));
  const existing = findNamed(simulation, "routine", home, name, (each) => sameArgs(each.args, args));
  if (existing !== null) {
    if (body.replace !== true) simulation.failures.push({ ...at, why: `function ${home}.${name} is already there` });
    else if (!existing.created) simulation.changed.set(keyOf(existing), "replaced");
    return;
  }
  const kind = body.is_procedure === true ? "PROCEDURE" : "FUNCTION";
  const sub = body.is_procedure === true ? "p" : "f";
  const signature = `${quoteIdent(name)}(${namedArguments(simulation, body, args)})`;
  const made = createObject(simulation, { family: "routine", schema: home, name, args, sub, signature });
  noteCreated(simulation, kind, made, `${name}(${args.map((oid) => typeWords(simulation, oid)).join(", ")})`);
}

/** Arguments as pg_get_function_identity_arguments writes them. */
function namedArguments(simulation: Simulation, body: Node, args: readonly number[]): string {
  const inputs = nodes(body.parameters)
    .map((each) => each.FunctionParameter as Node)
    .filter((each) => each.mode !== "FUNC_PARAM_OUT" && each.mode !== "FUNC_PARAM_TABLE");
  const modes: Readonly<Record<string, string>> = { FUNC_PARAM_INOUT: "INOUT", FUNC_PARAM_VARIADIC: "VARIADIC" };
  return inputs
    .map((each, index) => {
      const name = typeof each.name === "string" && each.name !== "" ? quoteIdent(each.name) : undefined;
      return [modes[each.mode as string], name, typeWords(simulation, args[index]!)].filter(Boolean).join(" ");
    })
    .join(", ");
}

/** A trigger, policy or rule on a relation. */
export function createOnRelation(
  simulation: Simulation,
  family: "trigger" | "policy" | "rule",
  range: Node,
  name: string,
  replace: boolean,
  at: Place,
): void {
  const table = findRangeVar(simulation, range);
  if (table === null) {
    simulation.failures.push({
      ...at,
      why: `${[range.schemaname, range.relname].filter(Boolean).join(".")} is not there`,
    });
    return;
  }
  lock(simulation, table.objid, family === "trigger" ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE", `gains a ${family}`);
  const existing = findOnRelation(simulation, family, table, name);
  if (existing !== null) {
    if (!replace) simulation.failures.push({ ...at, why: `${family} ${name} on ${table.name} is already there` });
    else if (!isGone(simulation, existing)) simulation.changed.set(keyOf(existing), "replaced");
    return;
  }
  createObject(simulation, { family, schema: null, name, relid: table.objid });
  noteCreated(simulation, family.toUpperCase(), table, `${table.name} ${name}`);
}

/** An object named by one name: schema, extension, publication... */
export function createNamed(
  simulation: Simulation,
  family: string,
  kind: string,
  name: string,
  optional: boolean,
  at: Place,
): void {
  if (findNamed(simulation, family, null, name) !== null) {
    if (!optional) simulation.failures.push({ ...at, why: `${family} ${name} is already there` });
    return;
  }
  noteCreated(simulation, kind, createObject(simulation, { family, schema: null, name }), name);
}

export function createStatistics(simulation: Simulation, body: Node): void {
  const { schema, name } = splitName(wordsOf(body.defnames));
  const table = findRangeVar(simulation, nodes(body.relations)[0]?.RangeVar as Node | undefined);
  if (table === null) return;
  lock(simulation, table.objid, "SHARE UPDATE EXCLUSIVE", "gains extended statistics");
  noteCreated(simulation, "STATISTICS", { ...table, schema: schema ?? table.schema }, name);
}
