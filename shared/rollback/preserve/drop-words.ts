import { qualified, quoteIdent } from "../../catalog/identifiers.ts";
import type { Catalog } from "../../catalog/types.ts";
import { type AddressKey, addressKey } from "../effect/dependency-graph.ts";
import { wholeOf } from "../effect/drop-closure.ts";
import { type DropSite, type Named, relationKey } from "./drop-sites.ts";

const relationWords: Readonly<Record<string, string>> = {
  v: "VIEW",
  m: "MATERIALIZED VIEW",
  S: "SEQUENCE",
  i: "INDEX",
  I: "INDEX",
};

/** The statement that drops one object which a DROP takes, as it is named then, without CASCADE; null when there is none. */
export function dropWords(key: AddressKey, site: DropSite, catalog: Catalog): string | null {
  const object = site.names.get(wholeOf(key));
  if (object === undefined) return null;
  const name = qualified(object.schema, object.name);
  const column = site.columns.get(key);
  if (key !== wholeOf(key))
    return column === undefined ? null : `ALTER TABLE ${name} DROP COLUMN ${quoteIdent(column)}`;
  if (object.family === "relation") {
    const word = relationWords[object.sub];
    return word === undefined ? null : `DROP ${word} ${name}`;
  }
  const table = object.relid === null ? undefined : site.names.get(relationKey(object.relid));
  if (table !== undefined && object.family !== "type")
    return ofTable(object, qualified(table.schema, table.name), column);
  if (object.family === "type" && object.relid === null)
    return `DROP ${object.sub === "d" ? "DOMAIN" : "TYPE"} ${name}`;
  return byEntry(key, object, catalog);
}

function ofTable({ family, name, schema }: Named, table: string, column: string | undefined): string | null {
  const own = quoteIdent(name);
  if (family === "constraint") return `ALTER TABLE ${table} DROP CONSTRAINT ${own}`;
  if (family === "trigger") return `DROP TRIGGER ${own} ON ${table}`;
  if (family === "policy") return `DROP POLICY ${own} ON ${table}`;
  if (family === "rule") return `DROP RULE ${own} ON ${table}`;
  if (family === "statistics") return `DROP STATISTICS ${qualified(schema, name)}`;
  if (family === "default" && column !== undefined)
    return `ALTER TABLE ${table} ALTER COLUMN ${quoteIdent(column)} DROP DEFAULT`;
  return null;
}

/** Routines, operators and all that is named by more than its name: as the catalog's own DROP text has it. */
function byEntry(key: AddressKey, object: Named, catalog: Catalog): string | null {
  const entry = catalog.entries.find(
    ({ address }) => addressKey(address.classid, address.objid, address.objsubid) === key,
  );
  const sameName = entry !== undefined && entry.schema === object.schema;
  const named = sameName && (entry.name === object.name || entry.name.startsWith(`${object.name}(`));
  return named && entry.drop !== null ? entry.drop.trim().replace(/;$/, "") : null;
}
