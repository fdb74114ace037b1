import { createType, creationSchema } from "./create-object.ts";
import { noteCreated } from "./made.ts";
import { findNamed, parameterTypes, splitName } from "./resolve.ts";
import { createObject, type Place, type Simulation } from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";
import { typeWords } from "./type-words.ts";

const families: Readonly<Record<string, readonly [family: string, kind: string]>> = {
  OBJECT_COLLATION: ["collation", "COLLATION"],
  OBJECT_TSCONFIGURATION: ["tsconfig", "TEXT SEARCH CONFIGURATION"],
  OBJECT_TSDICTIONARY: ["tsdict", "TEXT SEARCH DICTIONARY"],
  OBJECT_TSPARSER: ["tsparser", "TEXT SEARCH PARSER"],
  OBJECT_TSTEMPLATE: ["tstemplate", "TEXT SEARCH TEMPLATE"],
};

/** CREATE AGGREGATE, OPERATOR, TYPE, COLLATION and TEXT SEARCH objects. */
export function define(simulation: Simulation, body: Node, at: Place): void {
  const names = wordsOf(body.defnames);
  if (body.kind === "OBJECT_TYPE") defineType(simulation, names, body, at);
  else if (body.kind === "OBJECT_AGGREGATE") defineAggregate(simulation, names, body);
  else if (body.kind === "OBJECT_OPERATOR") note(simulation, names, "operator", "OPERATOR");
  else {
    const [family, kind] = families[body.kind as string] ?? ["", ""];
    const { schema, name } = splitName(names);
    const home = creationSchema(simulation, schema);
    if (findNamed(simulation, family, home, name) === null) note(simulation, names, family, kind);
    else if (body.if_not_exists !== true)
      simulation.failures.push({ ...at, why: `${kind.toLowerCase()} ${home}.${name} is already there` });
  }
}

/** Without a definition it makes a shell, which the second CREATE TYPE fills. */
function defineType(simulation: Simulation, names: readonly string[], body: Node, at: Place): void {
  const { schema, name } = splitName(names);
  const shell = findNamed(simulation, "type", creationSchema(simulation, schema), name);
  if (shell === null || nodes(body.definition).length === 0) createType(simulation, names, "TYPE", at);
}

function defineAggregate(simulation: Simulation, names: readonly string[], body: Node): void {
  const parameters = nodes(
    nodes(body.args)[0]?.List === undefined ? body.args : (nodes(body.args)[0]!.List as Node).items,
  );
  const args = parameterTypes(simulation, parameters);
  const { schema, name } = splitName(names);
  const home = creationSchema(simulation, schema);
  const made = createObject(simulation, { family: "routine", schema: home, name, args, sub: "a" });
  const words = args.length === 0 ? "*" : args.map((oid) => typeWords(simulation, oid)).join(", ");
  noteCreated(simulation, "AGGREGATE", made, `${name}(${words})`);
}

function note(simulation: Simulation, names: readonly string[], family: string, kind: string): void {
  const { schema, name } = splitName(names);
  const made = createObject(simulation, { family, schema: creationSchema(simulation, schema), name });
  noteCreated(simulation, kind, made, name);
}
