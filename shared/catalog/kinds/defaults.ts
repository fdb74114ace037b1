import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { type Column, readColumns } from "./columns.ts";
import {
  addressOf,
  alterTable,
  catalogOid,
  noAddress,
  type Relation,
  readRelations,
  relationName,
} from "./relations.ts";
import { readTables } from "./tables.ts";

/** DEFAULT entries: defaults that come after their table, and those of views. */
export const defaults: KindReader = async (context) => {
  const entries: RawEntry[] = [];
  for (const { relation, columns } of await readTables(context))
    for (const { column, expression } of columns)
      if (expression === "separate") entries.push(defaultEntry(relation, column));

  const columns = await readColumns(context);
  for (const relation of (await readRelations(context)).values()) {
    if (relation.kind !== "v" || relation.isExtensionMember) continue;
    for (const column of columns.get(relation.oid) ?? [])
      if (column.expression !== null) entries.push(defaultEntry(relation, column));
  }
  return entries;
};

function defaultEntry(relation: Relation, column: Column): RawEntry {
  const table = relationName(relation);
  const alter = alterTable(relation);
  const name = quoteIdent(column.name);
  return {
    kind: "DEFAULT",
    schema: relation.schema,
    name: `${relation.name} ${column.name}`,
    owner: relation.owner,
    section: "pre-data",
    create: `${alter} ONLY ${table} ALTER COLUMN ${name} SET DEFAULT ${column.expression};\n`,
    drop: `${alter} ${table} ALTER COLUMN ${name} DROP DEFAULT;\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: column.defaultOid === null ? noAddress : addressOf(catalogOid.attrdef, column.defaultOid),
    dependsOn: [addressOf(catalogOid.class, relation.oid)],
    usesCatalogDependencies: column.defaultOid !== null,
  };
}
