import type { KindContext } from "../kind.ts";
import { optionsSql } from "./foreign-data.ts";
import { inScope, touches } from "./in-scope.ts";
import { catalogOid } from "./relations.ts";

/** One column as the catalog has it. `columnDefinition` in column-text.ts gives its clause in CREATE TABLE. */
export interface Column {
  /** Oid of the relation. */
  readonly relation: number;
  readonly number: number;
  readonly name: string;
  /** As format_type writes it under an empty search_path. */
  readonly type: string;
  /** Where it differs from the type's own. */
  readonly collation: { readonly schema: string; readonly name: string } | null;
  readonly notNull: boolean;
  /** Of a NOT NULL constraint (servers 18 and newer), where it is not the default name. */
  readonly notNullName: string | null;
  readonly notNullNoInherit: boolean;
  /** `constraint`: servers 18 and newer keep NOT NULL as a constraint. `attribute`: older ones as a flag. */
  readonly notNullSource: "attribute" | "constraint";
  /** The NOT NULL constraint comes from a parent table alone. */
  readonly notNullInherited: boolean;
  /** Oid in pg_attrdef; null without a default or generation expression. */
  readonly defaultOid: number | null;
  /** The default, or the expression that generates the column. */
  readonly expression: string | null;
  readonly generated: "stored" | "virtual" | null;
  readonly identity: "ALWAYS" | "BY DEFAULT" | null;
  /** False: the column is only inherited. */
  readonly isLocal: boolean;
  /** SET STATISTICS; null for the default. */
  readonly statistics: number | null;
  /** Where it differs from the type's own. */
  readonly storage: "PLAIN" | "EXTERNAL" | "EXTENDED" | "MAIN" | null;
  readonly compression: "pglz" | "lz4" | null;
  /** `n_distinct=5, ...`, or null. */
  readonly options: string | null;
  /** Of a foreign table's column, as ALTER takes them, or null. */
  readonly foreignOptions: string | null;
}

type ColumnRow = Omit<Column, "notNullSource" | "notNullName" | "notNullNoInherit" | "notNullInherited">;

interface NotNullConstraint {
  readonly relation: number;
  readonly number: number;
  readonly name: string | null;
  readonly noInherit: boolean;
  readonly inherited: boolean;
  readonly validated: boolean;
}

const shared = new WeakMap<KindContext, Promise<ReadonlyMap<number, readonly Column[]>>>();

/** Columns of every relation in scope, by the relation's oid, in the order of their numbers; read once per context. */
export function readColumns(context: KindContext): Promise<ReadonlyMap<number, readonly Column[]>> {
  let columns = shared.get(context);
  if (columns === undefined) {
    columns = queryColumns(context);
    shared.set(context, columns);
  }
  return columns;
}

async function queryColumns(context: KindContext): Promise<ReadonlyMap<number, readonly Column[]>> {
  const { session, schemaOids } = context;
  if (!touches(context, catalogOid.class)) return new Map();
  const constraintsRead = readNotNullConstraints(context);
  constraintsRead.catch(() => {});
  const rows = await session.sql<ColumnRow[]>`
    select a.attrelid::int8::float8 as relation, a.attnum::int as number, a.attname::text as name,
      pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
      case when l.oid is not null then json_build_object('schema', ln.nspname, 'name', l.collname) end as collation,
      a.attnotnull as "notNull", d.oid::int8::float8 as "defaultOid",
      pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression,
      case a.attgenerated when 's' then 'stored' when 'v' then 'virtual' end as generated,
      case a.attidentity when 'a' then 'ALWAYS' when 'd' then 'BY DEFAULT' end as identity,
      a.attislocal as "isLocal",
      case when a.attstattarget >= 0 then a.attstattarget::int end as statistics,
      case when a.attstorage <> t.typstorage then
        case a.attstorage when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'x' then 'EXTENDED' when 'm' then 'MAIN' end
      end as storage,
      case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end as compression,
      pg_catalog.array_to_string(a.attoptions, ', ') as options,
      case when a.attfdwoptions is not null then ${optionsSql(context, "a.attfdwoptions")} end as "foreignOptions"
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_catalog.pg_collation l on l.oid = a.attcollation and a.attcollation <> t.typcollation
    left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
    where c.relnamespace = any(${schemaOids as number[]}::oid[]) and c.relkind in ('r', 'p', 'v', 'm', 'f')
      and a.attnum > 0 and not a.attisdropped ${inScope(context, catalogOid.class, session.sql`a.attrelid`)}
    order by a.attrelid, a.attnum`;
  const constraints = await constraintsRead;
  const columns = new Map<number, Column[]>();
  for (const row of rows) {
    const list = columns.get(row.relation) ?? [];
    list.push(withNotNull(row, constraints));
    columns.set(row.relation, list);
  }
  return columns;
}

function withNotNull(row: ColumnRow, constraints: ReadonlyMap<string, NotNullConstraint>): Column {
  const constraint = constraints.get(`${row.relation} ${row.number}`);
  return {
    ...row,
    // A NOT NULL that is not validated is a constraint of its own, added after the data.
    notNull: row.notNull && constraint?.validated !== false,
    notNullSource: constraint === undefined ? "attribute" : "constraint",
    notNullName: constraint?.name ?? null,
    notNullNoInherit: constraint?.noInherit ?? false,
    notNullInherited: constraint?.inherited ?? false,
  };
}

/** Servers before 18 keep NOT NULL in pg_attribute alone. The default name is `table_column_not_null`, cut to 63 bytes. */
async function readNotNullConstraints(context: KindContext): Promise<ReadonlyMap<string, NotNullConstraint>> {
  if (context.serverVersion < 180000) return new Map();
  const rows = await context.session.sql<NotNullConstraint[]>`
    select o.conrelid::int8::float8 as relation, o.conkey[1]::int as number,
      nullif(o.conname::text, c.relname || '_' || a.attname || '_not_null') as name,
      o.connoinherit as "noInherit", not o.conislocal as inherited, o.convalidated as validated
    from pg_catalog.pg_constraint o
    join pg_catalog.pg_class c on c.oid = o.conrelid
    join pg_catalog.pg_attribute a on a.attrelid = o.conrelid and a.attnum = o.conkey[1]
    where o.contype = 'n' and c.relnamespace = any(${context.schemaOids as number[]}::oid[])
      ${inScope(context, catalogOid.class, context.session.sql`o.conrelid`)}`;
  return new Map(rows.map((row) => [`${row.relation} ${row.number}`, row]));
}
