import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { type Check, readChecks } from "./checks.ts";
import { type Index, type IndexConstraint, readIndexes } from "./index-model.ts";
import { addIndexConstraint } from "./index-text.ts";
import { addressOf, catalogOid, type Relation, readRelations, relationName } from "./relations.ts";
import { readTables } from "./tables.ts";

/** CONSTRAINT entries of primary keys, unique and exclusion constraints. */
export const constraints: KindReader = async (context) => {
  const entries: RawEntry[] = [];
  for (const index of (await readIndexes(context)).values())
    if (index.constraint !== null) entries.push(indexConstraintEntry(index, index.constraint));
  return entries;
};

/** CHECK CONSTRAINT entries: checks that CREATE TABLE does not carry, because they are not validated or need the table. */
export const checkConstraints: KindReader = async (context) => {
  const relations = await readRelations(context);
  const inline = new Set((await readTables(context)).flatMap((table) => table.checks.map((check) => check.oid)));
  return (await readChecks(context)).flatMap((check) => {
    const table = relations.get(check.relation);
    if (table === undefined || table.isExtensionMember || table.kind === "f") return [];
    return check.isLocal && !inline.has(check.oid) ? [checkEntry(table, check)] : [];
  });
};

function indexConstraintEntry(index: Index, constraint: IndexConstraint): RawEntry {
  return {
    kind: "CONSTRAINT",
    schema: index.table.schema,
    name: `${index.table.name} ${constraint.name}`,
    owner: index.table.owner,
    section: "post-data",
    create: addIndexConstraint(index, constraint),
    drop: `ALTER TABLE ONLY ${relationName(index.table)} DROP CONSTRAINT ${quoteIdent(constraint.name)};\n`,
    tablespace: index.tablespace,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.constraint, constraint.oid),
    dependsOn: [addressOf(catalogOid.class, index.table.oid)],
  };
}

function checkEntry(table: Relation, check: Check): RawEntry {
  const name = relationName(table);
  return {
    kind: "CHECK CONSTRAINT",
    schema: table.schema,
    name: `${table.name} ${check.name}`,
    owner: table.owner,
    section: "post-data",
    create: `ALTER TABLE ${name}\n    ADD CONSTRAINT ${quoteIdent(check.name)} ${check.definition};\n`,
    drop: `ALTER TABLE ${name} DROP CONSTRAINT ${quoteIdent(check.name)};\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.constraint, check.oid),
    dependsOn: [addressOf(catalogOid.class, table.oid)],
  };
}
