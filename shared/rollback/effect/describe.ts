import { type AddressKey, addressKey, classOid } from "./dependency-graph.ts";
import { wholeOf } from "./drop-closure.ts";
import { relationByOid, type SimulatedObject, type Simulation } from "./simulation.ts";

/** A person's name for an object: `table public.orders`, `column note of public.orders`. */
export function describe(simulation: Simulation, key: AddressKey): string {
  const object = simulation.byAddress.get(wholeOf(key));
  if (object === undefined) return `object ${key}`;
  const own = object.schema === null ? object.name : `${object.schema}.${object.name}`;
  if (key !== wholeOf(key)) {
    return `${columnWords(simulation, key)} of ${own}`;
  }
  const table = object.relid === null ? undefined : relationByOid(simulation, object.relid);
  if (object.family === "rule" && object.name === "_RETURN" && table !== undefined)
    return `view ${table.schema}.${table.name}`;
  if (object.family === "default" && table !== undefined) {
    const column = addressKey(classOid.relation, table.objid, Number(object.name));
    return `default of ${columnWords(simulation, column)} of ${table.schema}.${table.name}`;
  }
  if (table !== undefined && object.family !== "type")
    return `${object.family} ${object.name} on ${table.schema}.${table.name}`;
  const word = object.family === "relation" ? relationWord[object.sub] : routineWord(object);
  return `${word ?? familyWord[object.family] ?? object.family} ${own}`;
}

const familyWord: Readonly<Record<string, string>> = {
  opclass: "operator class",
  opfamily: "operator family",
  tsconfig: "text search configuration",
  tsdict: "text search dictionary",
  tsparser: "text search parser",
  tstemplate: "text search template",
  event_trigger: "event trigger",
  access_method: "access method",
  fdw: "foreign data wrapper",
};

/** `column note`, of an address with a column number. */
export function columnWords(simulation: Simulation, key: AddressKey): string {
  const number = Number(key.slice(key.lastIndexOf("/") + 1));
  const columns = simulation.columns.get(simulation.byAddress.get(wholeOf(key))?.objid ?? 0);
  return `column ${columns?.find((each) => each.number === number)?.name ?? number}`;
}

function routineWord({ family, sub }: SimulatedObject): string | undefined {
  if (family !== "routine") return undefined;
  return sub === "p" ? "procedure" : sub === "a" ? "aggregate" : "function";
}

const relationWord: Record<string, string> = {
  r: "table",
  p: "table",
  f: "foreign table",
  v: "view",
  m: "materialized view",
  i: "index",
  I: "index",
  S: "sequence",
  c: "type",
};

export function words(objectType: string): string {
  return objectType
    .replace(/^OBJECT_/, "")
    .replace(/^MATVIEW$/, "materialized view")
    .replace(/^TABCONSTRAINT$/, "constraint")
    .replace(/^TS/, "text search ")
    .replace(/^OP(CLASS|FAMILY)$/, "operator $1")
    .replace(/^FDW$/, "foreign data wrapper")
    .toLowerCase()
    .replaceAll("_", " ");
}
