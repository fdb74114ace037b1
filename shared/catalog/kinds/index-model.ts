import type { KindContext } from "../kind.ts";
import { type Column, readColumns } from "./columns.ts";
import { inScope, touches } from "./in-scope.ts";
import { catalogOid, type Relation, readRelations } from "./relations.ts";

/** The constraint that an index serves. */
export interface IndexConstraint {
  readonly oid: number;
  /** p primary key, u unique, x exclusion. */
  readonly type: "p" | "u" | "x";
  readonly name: string;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  /** pg_get_constraintdef, where that alone says all (exclusion, WITHOUT OVERLAPS); else null. */
  readonly definition: string | null;
}

/** A valid index; indexes that are not valid are left out, as pg_dump leaves them out. */
export interface Index {
  readonly oid: number;
  readonly name: string;
  readonly table: Relation;
  /** pg_get_indexdef. */
  readonly definition: string;
  readonly tablespace: string;
  readonly options: readonly string[];
  readonly isClustered: boolean;
  readonly isReplicaIdentity: boolean;
  readonly nullsNotDistinct: boolean;
  /** Names of the key columns, and of the INCLUDE columns; expressions are null. */
  readonly keyColumns: readonly (string | null)[];
  readonly includedColumns: readonly (string | null)[];
  /** Column number and SET STATISTICS value. */
  readonly statistics: readonly { readonly column: number; readonly value: number }[];
  /** Oid of the partitioned index that this one is attached to. */
  readonly parent: number | null;
  readonly constraint: IndexConstraint | null;
  /** Extensions that the index is marked to depend on. */
  readonly extensions: readonly string[];
}

type IndexRow = Omit<Index, "table" | "constraint" | "keyColumns" | "includedColumns"> & {
  readonly relation: number;
  /** pg_index.indkey: column numbers, 0 for an expression. */
  readonly columns: string;
  /** How many of them are key columns. */
  readonly keys: number;
  readonly constraint: IndexConstraint | null;
};

const shared = new WeakMap<KindContext, Promise<ReadonlyMap<number, Index>>>();

/** Indexes of the tables and materialised views in scope, by oid; read once per context. */
export function readIndexes(context: KindContext): Promise<ReadonlyMap<number, Index>> {
  let indexes = shared.get(context);
  if (indexes === undefined) {
    indexes = queryIndexes(context);
    shared.set(context, indexes);
  }
  return indexes;
}

async function queryIndexes(context: KindContext): Promise<ReadonlyMap<number, Index>> {
  if (!touches(context, catalogOid.class)) return new Map();
  const rows = await context.session.sql<IndexRow[]>`
    select x.oid::int8::float8 as oid, x.relname::text as name, i.indrelid::int8::float8 as relation,
      pg_catalog.pg_get_indexdef(i.indexrelid) as definition, coalesce(s.spcname::text, '') as tablespace,
      coalesce(x.reloptions, '{}') as options, i.indisclustered as "isClustered",
      i.indisreplident as "isReplicaIdentity", i.indnullsnotdistinct as "nullsNotDistinct",
      i.indkey::text as columns, i.indnkeyatts::int as keys,
      coalesce(st.list, '[]') as statistics, h.inhparent::int8::float8 as parent,
      case when o.oid is not null then json_build_object(
        'oid', o.oid::int8, 'type', o.contype, 'name', o.conname, 'deferrable', o.condeferrable,
        'deferred', o.condeferred, 'definition', case
          when o.contype = 'x' or coalesce((to_jsonb(o) ->> 'conperiod')::bool, false)
          then pg_catalog.pg_get_constraintdef(o.oid) end) end as constraint,
      coalesce(e.names, '{}') as extensions
    from pg_catalog.pg_index i
    join pg_catalog.pg_class x on x.oid = i.indexrelid
    join pg_catalog.pg_class c on c.oid = i.indrelid
    left join pg_catalog.pg_tablespace s on s.oid = x.reltablespace
    left join pg_catalog.pg_constraint o
      on o.conrelid = i.indrelid and o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x')
    left join pg_catalog.pg_inherits h on h.inhrelid = i.indexrelid
    left join (
      select a.attrelid, json_agg(json_build_object('column', a.attnum, 'value', a.attstattarget) order by a.attnum) as list
      from pg_catalog.pg_attribute a where a.attnum > 0 and a.attstattarget >= 0
        ${inScope(context, catalogOid.class, context.session.sql`a.attrelid`)}
      group by a.attrelid) st on st.attrelid = i.indexrelid
    left join (
      select d.objid, array_agg(p.extname::text order by p.extname) as names
      from pg_catalog.pg_depend d join pg_catalog.pg_extension p on p.oid = d.refobjid
      where d.classid = 'pg_catalog.pg_class'::regclass and d.deptype = 'x'
        and d.refclassid = 'pg_catalog.pg_extension'::regclass
      group by d.objid) e on e.objid = i.indexrelid
    where c.relnamespace = any(${context.schemaOids as number[]}::oid[]) and c.relkind in ('r', 'p', 'm')
      and (i.indisvalid or c.relkind = 'p') and i.indisready
      ${inScope(context, catalogOid.class, context.session.sql`i.indexrelid`)}
    order by i.indrelid, x.relname`;
  const relations = await readRelations(context);
  const columns = await readColumns(context);
  const indexes = new Map<number, Index>();
  for (const row of rows) {
    const table = relations.get(row.relation);
    if (table === undefined || table.isExtensionMember) continue;
    const names = namesOf(row.columns, columns.get(row.relation) ?? []);
    const [keyColumns, includedColumns] = [names.slice(0, row.keys), names.slice(row.keys)];
    indexes.set(row.oid, { ...row, table, keyColumns, includedColumns });
  }
  return indexes;
}

function namesOf(numbers: string, columns: readonly Column[]): (string | null)[] {
  return numbers.split(" ").map((number) => columns.find((column) => String(column.number) === number)?.name ?? null);
}
