import { qualified } from "../identifiers.ts";
import type { KindContext } from "../kind.ts";
import type { Address } from "../types.ts";
import { inScope, touches } from "./in-scope.ts";

/** pg_class.relkind of what is read here. Composite types belong to the types reader. */
export type RelationKind = "r" | "p" | "v" | "m" | "f" | "S";

/** One row of pg_class with what the relation readers share. */
export interface Relation {
  readonly oid: number;
  readonly kind: RelationKind;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** p permanent, u unlogged. */
  readonly persistence: string;
  /** "" for the database's default tablespace. */
  readonly tablespace: string;
  readonly accessMethod: string | null;
  /** `name=value`, without a view's check_option. */
  readonly options: readonly string[];
  readonly toastOptions: readonly string[];
  /** d default, n nothing, f full, i index. */
  readonly replicaIdentity: string;
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  /** Qualified name of the composite type of a typed table. */
  readonly ofType: string | null;
  readonly isPartition: boolean;
  readonly partitionKey: string | null;
  readonly partitionBound: string | null;
  /** Oids in the order of inheritance. */
  readonly parents: readonly number[];
  readonly checkOption: "LOCAL" | "CASCADED" | null;
  readonly isExtensionMember: boolean;
}

/** pg_class, pg_attrdef and the like have the same oid in every database (src/include/catalog). */
export const catalogOid = {
  type: 1247,
  function: 1255,
  class: 1259,
  attrdef: 2604,
  constraint: 2606,
  inherits: 2611,
  rewrite: 2618,
  trigger: 2620,
  policy: 3256,
  statistics: 3381,
} as const;

export function addressOf(classid: number, objid: number): Address {
  return { classid, objid, objsubid: 0 };
}

/** For entries that are no catalog object of their own: attachments, ownership of sequences. */
export const noAddress: Address = { classid: 0, objid: 0, objsubid: 0 };

export function relationName(relation: Pick<Relation, "schema" | "name">): string {
  return qualified(relation.schema, relation.name);
}

/** `ALTER TABLE`, or what it is for a foreign table. */
export function alterTable(relation: Pick<Relation, "kind">): string {
  return relation.kind === "f" ? "ALTER FOREIGN TABLE" : "ALTER TABLE";
}

const shared = new WeakMap<KindContext, Promise<ReadonlyMap<number, Relation>>>();

/** All relations in scope by oid, members of extensions too; read once per context. */
export function readRelations(context: KindContext): Promise<ReadonlyMap<number, Relation>> {
  let relations = shared.get(context);
  if (relations === undefined) {
    relations = queryRelations(context);
    shared.set(context, relations);
  }
  return relations;
}

async function queryRelations(context: KindContext): Promise<ReadonlyMap<number, Relation>> {
  const { session, schemaOids } = context;
  if (!touches(context, catalogOid.class)) return new Map();
  const rows = await session.sql<Relation[]>`
    select c.oid::int8::float8 as oid, c.relkind::text as kind, n.nspname::text as schema, c.relname::text as name,
      pg_catalog.pg_get_userbyid(c.relowner)::text as owner, c.relpersistence::text as persistence,
      coalesce(s.spcname::text, '') as tablespace, am.amname::text as "accessMethod",
      coalesce(array_remove(array_remove(c.reloptions, 'check_option=local'), 'check_option=cascaded'), '{}') as options,
      coalesce(t.reloptions, '{}') as "toastOptions",
      c.relreplident::text as "replicaIdentity", c.relrowsecurity as "rowSecurity",
      c.relforcerowsecurity as "forceRowSecurity",
      case when c.reloftype <> 0 then pg_catalog.format_type(c.reloftype, null) end as "ofType",
      c.relispartition as "isPartition",
      case when c.relkind = 'p' then pg_catalog.pg_get_partkeydef(c.oid) end as "partitionKey",
      case when c.relispartition then pg_catalog.pg_get_expr(c.relpartbound, c.oid) end as "partitionBound",
      coalesce(i.parents, '{}') as parents,
      case when 'check_option=local' = any(c.reloptions) then 'LOCAL'
           when 'check_option=cascaded' = any(c.reloptions) then 'CASCADED' end as "checkOption",
      e.objid is not null as "isExtensionMember"
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_tablespace s on s.oid = c.reltablespace
    left join pg_catalog.pg_am am on am.oid = c.relam
    left join pg_catalog.pg_class t on t.oid = c.reltoastrelid and c.relkind <> 'p'
    left join (
      select inhrelid, array_agg(inhparent::int8::float8 order by inhseqno) as parents
      from pg_catalog.pg_inherits where true ${inScope(context, catalogOid.class, session.sql`inhrelid`)}
      group by inhrelid) i on i.inhrelid = c.oid
    left join pg_catalog.pg_depend e
      on e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.objsubid = 0 and e.deptype = 'e'
    where c.relnamespace = any(${schemaOids as number[]}::oid[]) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      ${inScope(context, catalogOid.class, session.sql`c.oid`)}
    order by c.oid`;
  return new Map(rows.map((row) => [row.oid, row]));
}
