import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import type { Address } from "../types.ts";
import { inScope, touches } from "./in-scope.ts";
import { type Index, readIndexes } from "./index-model.ts";
import { attachAddress } from "./indexes.ts";
import { addressOf, catalogOid, type Relation, readRelations, relationName } from "./relations.ts";

interface ForeignKeyRow {
  readonly oid: number;
  readonly name: string;
  readonly relation: number;
  readonly referenced: number;
  /** Oid of the key's index on the referenced table. */
  readonly index: number;
  readonly definition: string;
}

/** FK CONSTRAINT entries; partitions get theirs from the partitioned table. */
export const foreignKeys: KindReader = async (context) => {
  if (!touches(context, catalogOid.constraint)) return [];
  const rows = await context.session.sql<ForeignKeyRow[]>`
    select o.oid::int8::float8 as oid, o.conname::text as name, o.conrelid::int8::float8 as relation,
      o.confrelid::int8::float8 as referenced, o.conindid::int8::float8 as index, pg_catalog.pg_get_constraintdef(o.oid) as definition
    from pg_catalog.pg_constraint o
    where o.contype = 'f' and o.conparentid = 0 and o.connamespace = any(${context.schemaOids as number[]}::oid[])
      ${inScope(context, catalogOid.constraint, context.session.sql`o.oid`)}
    order by o.conrelid, o.conname`;
  const relations = await readRelations(context);
  const indexes = await readIndexes(context);
  const attached = Map.groupBy(indexes.values(), (index) => index.parent);
  return rows.flatMap((row) => {
    const table = relations.get(row.relation);
    if (table === undefined || table.isExtensionMember) return [];
    return [foreignKeyEntry(table, row, attachments(row.index, attached))];
  });
};

/** A partitioned table's key counts only when the keys of all partitions, at every level, are attached to it. */
function attachments(index: number, attached: ReadonlyMap<number | null, readonly Index[]>): readonly Address[] {
  return (attached.get(index) ?? []).flatMap((child) => [attachAddress(child), ...attachments(child.oid, attached)]);
}

function foreignKeyEntry(table: Relation, row: ForeignKeyRow, attached: readonly Address[]): RawEntry {
  const name = `${table.kind === "p" ? "" : "ONLY "}${relationName(table)}`;
  return {
    kind: "FK CONSTRAINT",
    schema: table.schema,
    name: `${table.name} ${row.name}`,
    owner: table.owner,
    section: "post-data",
    create: `ALTER TABLE ${name}\n    ADD CONSTRAINT ${quoteIdent(row.name)} ${row.definition};\n`,
    drop: `ALTER TABLE ${name} DROP CONSTRAINT ${quoteIdent(row.name)};\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.constraint, row.oid),
    dependsOn: [addressOf(catalogOid.class, table.oid), addressOf(catalogOid.class, row.referenced), ...attached],
  };
}
