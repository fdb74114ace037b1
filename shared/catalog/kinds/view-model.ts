import type { KindContext } from "../kind.ts";
import type { Address } from "../types.ts";
import { type Column, readColumns } from "./columns.ts";
import { inScope, touchesRelations } from "./in-scope.ts";
import { addressKey, type References, reaches, readReferences } from "./references.ts";
import { catalogOid, type Relation, readRelations } from "./relations.ts";

/** A view or materialised view. */
export interface View {
  readonly relation: Relation;
  readonly columns: readonly Column[];
  /** pg_get_viewdef without its semicolon. */
  readonly query: string;
  /** Its SELECT rule in pg_rewrite. */
  readonly rule: number;
  /** What the query refers to. */
  readonly references: readonly Address[];
  /** The query needs a primary key (GROUP BY of a key), or itself: it can only be created after the data. */
  readonly late: boolean;
  /** Extensions that a materialised view is marked to depend on. */
  readonly extensions: readonly string[];
}

interface ViewRow {
  readonly oid: number;
  readonly query: string;
  readonly rule: number;
  readonly extensions: readonly string[];
}

const shared = new WeakMap<KindContext, Promise<readonly View[]>>();

/** Views and materialised views in scope; read once per context. */
export function readViews(context: KindContext): Promise<readonly View[]> {
  let views = shared.get(context);
  if (views === undefined) {
    views = queryViews(context);
    shared.set(context, views);
  }
  return views;
}

async function queryViews(context: KindContext): Promise<readonly View[]> {
  if (!touchesRelations(context, "v", "m")) return [];
  const rows = await context.session.sql<ViewRow[]>`
    select c.oid::int8::float8 as oid, rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') as query,
      r.oid::int8::float8 as rule,
      array(select extname::text from pg_catalog.pg_depend d
        join pg_catalog.pg_extension x on x.oid = d.refobjid and d.refclassid = x.tableoid
        where d.classid = c.tableoid and d.objid = c.oid and d.deptype = 'x' order by extname) as extensions
    from pg_catalog.pg_class c
    join pg_catalog.pg_rewrite r on r.ev_class = c.oid and r.ev_type = '1'
    where c.relkind in ('v', 'm') and c.relnamespace = any(${context.schemaOids as number[]}::oid[])
      ${inScope(context, catalogOid.class, context.session.sql`c.oid`)}
    order by c.oid`;
  const relations = await readRelations(context);
  const columns = await readColumns(context);
  const references = await readReferences(context);
  const queries: Queries = new Map(
    rows.map(({ oid, rule }) => [
      oid,
      references.of(catalogOid.rewrite, rule).filter((address) => !isRelation(address, oid)),
    ]),
  );
  return rows.flatMap((row) => {
    const relation = relations.get(row.oid);
    if (relation === undefined || relation.isExtensionMember) return [];
    return [
      {
        relation,
        columns: columns.get(row.oid) ?? [],
        query: row.query,
        rule: row.rule,
        references: queries.get(row.oid)!,
        late: isLate(row.oid, queries, relations, references),
        extensions: row.extensions,
      },
    ];
  });
}

/** What a view's query refers to, by the view's oid. */
type Queries = ReadonlyMap<number, readonly Address[]>;

/** Whether a query can only be created after the data: it needs something late, or the view itself. */
function isLate(view: number, queries: Queries, relations: ReadonlyMap<number, Relation>, references: References) {
  const needs = queries.get(view) ?? [];
  const seen = new Set<string>();
  const late = (address: Address): boolean => {
    if (address.classid === catalogOid.constraint) return true;
    if (seen.has(addressKey(address))) return false;
    seen.add(addressKey(address));
    return builtInto(address, queries, relations, references).some(late);
  };
  return needs.some(late) || reaches(references, needs, (found) => isRelation(found, view));
}

/**
 * What must be there when an object is created. A view needs nothing: if what it shows is late, a stand-in comes
 * first and breaks the chain.
 */
function builtInto(
  address: Address,
  queries: Queries,
  relations: ReadonlyMap<number, Relation>,
  references: References,
): readonly Address[] {
  if (address.classid === catalogOid.function) return references.of(address.classid, address.objid);
  const isMaterialized = address.classid === catalogOid.class && relations.get(address.objid)?.kind === "m";
  return isMaterialized ? (queries.get(address.objid) ?? []) : [];
}

function isRelation(address: Address, oid: number): boolean {
  return address.classid === catalogOid.class && address.objid === oid;
}
