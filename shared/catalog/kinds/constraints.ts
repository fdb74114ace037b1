import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { type Check, readChecks } from "./checks.ts";
import { inScope, touches } from "./in-scope.ts";
import { type Index, type IndexConstraint, readIndexes } from "./index-model.ts";
import { addIndexConstraint, cannotAttach } from "./index-text.ts";
import { addressOf, alterTable, catalogOid, type Relation, readRelations, relationName } from "./relations.ts";
import { readTables } from "./tables.ts";

/** CONSTRAINT entries of primary keys, unique and exclusion constraints. */
export const constraints: KindReader = async (context) => {
  const entries: RawEntry[] = [];
  const indexes = [...(await readIndexes(context)).values()];
  const below = Map.groupBy(indexes, (index) => index.parent);
  const partitions = (index: Index): readonly Index[] =>
    (below.get(index.oid) ?? []).flatMap((child) => [child, ...partitions(child)]);
  for (const index of indexes)
    if (index.constraint !== null && !(index.parent !== null && cannotAttach(index)))
      entries.push(indexConstraintEntry(index, index.constraint, cannotAttach(index) ? partitions(index) : []));
  return entries;
};

interface NotNullRow {
  readonly oid: number;
  readonly relation: number;
  readonly name: string;
  readonly definition: string;
}

/** CONSTRAINT entries of NOT NULL constraints that are not validated (servers 18 and newer). */
export const invalidNotNulls: KindReader = async (context) => {
  if (context.serverVersion < 180000 || !touches(context, catalogOid.constraint)) return [];
  const rows = await context.session.sql<NotNullRow[]>`
    select o.oid::int8::float8 as oid, o.conrelid::int8::float8 as relation, o.conname::text as name,
      pg_catalog.pg_get_constraintdef(o.oid) as definition
    from pg_catalog.pg_constraint o
    where o.contype = 'n' and not o.convalidated and o.conislocal
      and o.connamespace = any(${context.schemaOids as number[]}::oid[])
      ${inScope(context, catalogOid.constraint, context.session.sql`o.oid`)}
    order by o.conrelid, o.conname`;
  const relations = await readRelations(context);
  return rows.flatMap((row) => {
    const table = relations.get(row.relation);
    return table === undefined || table.isExtensionMember ? [] : [addedEntry("CONSTRAINT", table, row)];
  });
};

/** CHECK CONSTRAINT entries: checks that CREATE TABLE does not carry, because they are not validated or need the table. */
export const checkConstraints: KindReader = async (context) => {
  const relations = await readRelations(context);
  const inline = new Set((await readTables(context)).flatMap((table) => table.checks.map((check) => check.oid)));
  return (await readChecks(context)).flatMap((check) => {
    const table = relations.get(check.relation);
    if (table === undefined || table.isExtensionMember) return [];
    return check.isLocal && !inline.has(check.oid) ? [addedEntry("CHECK CONSTRAINT", table, check)] : [];
  });
};

function indexConstraintEntry(index: Index, constraint: IndexConstraint, partitions: readonly Index[]): RawEntry {
  return {
    kind: "CONSTRAINT",
    schema: index.table.schema,
    name: `${index.table.name} ${constraint.name}`,
    owner: index.table.owner,
    section: "post-data",
    create: addIndexConstraint(index, constraint, partitions),
    drop: `ALTER TABLE ONLY ${relationName(index.table)} DROP CONSTRAINT ${quoteIdent(constraint.name)};\n`,
    tablespace: index.tablespace,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.constraint, constraint.oid),
    dependsOn: [index, ...partitions].flatMap(({ table }) => [
      addressOf(catalogOid.class, table.oid),
      // Made on all partitions at once, so these have to be attached.
      ...(table.isPartition && partitions.length > 0 ? [addressOf(catalogOid.inherits, table.oid)] : []),
    ]),
  };
}

/** A constraint that is added to the table and its children. */
function addedEntry(kind: string, table: Relation, constraint: Pick<Check, "oid" | "name" | "definition">): RawEntry {
  const alter = alterTable(table);
  const name = relationName(table);
  return {
    kind,
    schema: table.schema,
    name: `${table.name} ${constraint.name}`,
    owner: table.owner,
    section: "post-data",
    create: `${alter} ${name}\n    ADD CONSTRAINT ${quoteIdent(constraint.name)} ${constraint.definition};\n`,
    drop: `${alter} ${name} DROP CONSTRAINT ${quoteIdent(constraint.name)};\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.constraint, constraint.oid),
    dependsOn: [addressOf(catalogOid.class, table.oid)],
  };
}
