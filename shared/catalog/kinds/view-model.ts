import type { KindContext } from "../kind.ts";
import type { Address } from "../types.ts";
import { type Column, readColumns } from "./columns.ts";
import { type References, reaches, readReferences } from "./references.ts";
import { addressOf, catalogOid, type Relation, readRelations } from "./relations.ts";

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
}

interface ViewRow {
  readonly oid: number;
  readonly query: string;
  readonly rule: number;
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
  const relations = await readRelations(context);
  const columns = await readColumns(context);
  const references = await readReferences(context);
  const rows = await context.session.sql<ViewRow[]>`
    select c.oid::int8::float8 as oid, rtrim(pg_catalog.pg_get_viewdef(c.oid), ';') as query,
      r.oid::int8::float8 as rule
    from pg_catalog.pg_class c
    join pg_catalog.pg_rewrite r on r.ev_class = c.oid and r.ev_type = '1'
    where c.relkind in ('v', 'm') and c.relnamespace = any(${context.schemaOids as number[]}::oid[])
    order by c.oid`;
  return rows.flatMap((row) => {
    const relation = relations.get(row.oid);
    if (relation === undefined || relation.isExtensionMember) return [];
    const itself = addressOf(catalogOid.class, row.oid);
    const needs = references
      .of(catalogOid.rewrite, row.rule)
      .filter(({ classid, objid }) => classid !== itself.classid || objid !== itself.objid);
    return [
      {
        relation,
        columns: columns.get(row.oid) ?? [],
        query: row.query,
        rule: row.rule,
        references: needs,
        late: isLate(needs, itself, references),
      },
    ];
  });
}

function isLate(needs: readonly Address[], itself: Address, references: References): boolean {
  if (needs.some(({ classid }) => classid === catalogOid.constraint)) return true;
  return reaches(references, needs, ({ classid, objid }) => classid === itself.classid && objid === itself.objid);
}
