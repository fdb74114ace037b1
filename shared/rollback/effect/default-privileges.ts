import { refuseOwnRecords } from "./destroy.ts";
import { addDependency } from "./drop-closure.ts";
import { noteCreated } from "./made.ts";
import { opaqueReason } from "./opaque.ts";
import { findNamed } from "./resolve.ts";
import { change, createObject, keyOf, type Place, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, wordsOf } from "./sql-nodes.ts";

const typeWords: Readonly<Record<string, string>> = {
  OBJECT_TABLE: "TABLES",
  OBJECT_SEQUENCE: "SEQUENCES",
  OBJECT_FUNCTION: "FUNCTIONS",
  OBJECT_ROUTINE: "FUNCTIONS",
  OBJECT_TYPE: "TYPES",
  OBJECT_SCHEMA: "SCHEMAS",
  OBJECT_LARGEOBJECT: "LARGE OBJECTS",
};

/** ALTER DEFAULT PRIVILEGES: an entry for each role and schema that it names, of the kind of object that it is about. */
export function alterDefaultPrivileges(simulation: Simulation, body: Node, at: Place): void {
  const type = typeWords[(body.action as Node).objtype as string];
  const named = nodes((optionOf(body, "roles")?.List as Node | undefined)?.items);
  const roles = named.length === 0 ? [simulation.role] : named.map((each) => roleOf(simulation, each.RoleSpec as Node));
  if (type === undefined || roles.includes(null)) {
    simulation.opaque.push({ ...at, why: opaqueReason("AlterDefaultPrivilegesStmt", body) });
    return;
  }
  const name = `DEFAULT PRIVILEGES FOR ${type}`;
  for (const schema of schemasOf(simulation, body, at))
    for (const role of roles) alterEntry(simulation, schema, name, role!);
}

/** Null: those of the whole database. */
function schemasOf(simulation: Simulation, body: Node, at: Place): (SimulatedObject | null)[] {
  const names = wordsOf(optionOf(body, "schemas"));
  if (names.length === 0) return [null];
  return names.flatMap((name) => {
    const schema = findNamed(simulation, "schema", null, name);
    if (schema === null) simulation.failures.push({ ...at, why: `schema ${name} is not there` });
    else refuseOwnRecords(simulation, schema, at);
    return schema ?? [];
  });
}

function alterEntry(simulation: Simulation, schema: SimulatedObject | null, name: string, role: string): void {
  const family = "default privileges";
  const home = schema?.name ?? null;
  const isOwn = (each: SimulatedObject) => each.sub === role && each.schema === home;
  const there = findNamed(simulation, family, home, name, isOwn);
  if (there !== null) {
    change(simulation, there, "altered");
    return;
  }
  const made = createObject(simulation, { family, schema: home, name, sub: role });
  if (schema !== null) addDependency(simulation.index, { from: keyOf(made), to: keyOf(schema), type: "a" });
  noteCreated(simulation, "DEFAULT ACL", made, name, role);
}

function optionOf(body: Node, name: string): Node | undefined {
  const options = nodes(body.options).map((each) => each.DefElem as Node);
  return options.find(({ defname }) => defname === name)?.arg as Node | undefined;
}

/** Null where the text does not tell which role it is. */
function roleOf(simulation: Simulation, { roletype, rolename }: Node): string | null {
  if (roletype === "ROLESPEC_CSTRING") return rolename as string;
  return roletype === "ROLESPEC_SESSION_USER" && simulation.role !== simulation.graph.role ? null : simulation.role;
}
