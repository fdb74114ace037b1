import { quoteIdent } from "../../catalog/identifiers.ts";
import { words } from "./describe.ts";
import { findTarget } from "./drop.ts";
import { noteCreated } from "./made.ts";
import { findRangeVar } from "./resolve.ts";
import { keyOf, lock, type Place, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, rangeName, stringsOf } from "./sql-nodes.ts";

/** COMMENT, GRANT and REVOKE: what is said about an object, not the object. */
export function comment(simulation: Simulation, body: Node, at: Place): void {
  const objectType = body.objtype as string;
  const names = stringsOf(body.object);
  const onColumn = objectType === "OBJECT_COLUMN";
  const item = onColumn
    ? { List: { items: names.slice(0, -1).map((sval) => ({ String: { sval } })) } }
    : (body.object as Node);
  const found = findTarget(simulation, onColumn ? "OBJECT_TABLE" : objectType, item);
  if (found === undefined) simulation.opaque.push({ ...at, why: "a comment on an object that Belay does not look up" });
  else if (found === null)
    simulation.failures.push({ ...at, why: `${words(objectType)} ${names.join(".")} is not there` });
  else {
    const name = commentName(found, onColumn ? (names.at(-1) ?? "") : null);
    const isSet = typeof body.comment === "string";
    if (name !== null && isSet) noteCreated(simulation, "COMMENT", found, name);
    if (found.created) return;
    const tag = onColumn
      ? `${found.schema} COLUMN ${quoteIdent(found.name)}.${quoteIdent(names.at(-1) ?? "")}`
      : keyOf(found);
    simulation.commented.set(tag, isSet ? "set" : "removed");
    if (found.family === "relation") lock(simulation, found.objid, "SHARE UPDATE EXCLUSIVE", "its comment is set");
  }
}

const relationWords: Readonly<Record<string, string>> = {
  r: "TABLE",
  p: "TABLE",
  f: "FOREIGN TABLE",
  v: "VIEW",
  m: "MATERIALIZED VIEW",
  i: "INDEX",
  I: "INDEX",
  S: "SEQUENCE",
};

/** How a comment's entry is named; null where that takes more than the statement says. */
function commentName(object: SimulatedObject, column: string | null): string | null {
  if (column !== null) return `COLUMN ${quoteIdent(object.name)}.${quoteIdent(column)}`;
  const name = quoteIdent(object.name);
  if (object.family === "relation") return `${relationWords[object.sub] ?? "TABLE"} ${name}`;
  if (object.family === "type") return `${object.sub === "d" ? "DOMAIN" : "TYPE"} ${name}`;
  if (object.family === "schema" || object.family === "extension") return `${object.family.toUpperCase()} ${name}`;
  return object.signature === undefined ? null : `${object.sub === "p" ? "PROCEDURE" : "FUNCTION"} ${object.signature}`;
}

export function grant(simulation: Simulation, body: Node, at: Place): void {
  if (body.targtype !== "ACL_TARGET_OBJECT") {
    simulation.opaque.push({ ...at, why: "a grant on all objects of a schema" });
    return;
  }
  for (const each of nodes(body.objects)) {
    const range = each.RangeVar as Node | undefined;
    const found =
      range !== undefined ? findRangeVar(simulation, range) : findTarget(simulation, body.objtype as string, each);
    if (found === null)
      simulation.failures.push({
        ...at,
        why: `${words(body.objtype as string)} ${range ? rangeName(range) : stringsOf(each).join(".")} is not there`,
      });
    else if (found === undefined)
      simulation.opaque.push({ ...at, why: "a grant on an object that Belay does not look up" });
    else if (!found.created) simulation.granted.add(keyOf(found));
  }
}
