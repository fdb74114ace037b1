import type { Session } from "../postgres/session.ts";
import { keptPrefix } from "./kept-schemas.ts";
import { type KindContext, type RareCatalog, rareCatalogOids, rareCatalogs, type TypeKind } from "./kind.ts";
import { readReach } from "./reach.ts";
import type { Address, CatalogScope } from "./types.ts";

/** Belay's own schema is not part of what it looks after; where it is left out, the schemas of kept rows are too. */
const defaultExcluded = ["belay"];

/** Which objects a read of a part of the catalog answers. */
export interface CatalogPart {
  readonly objects: Iterable<Pick<Address, "classid" | "objid">>;
  /** Without what belongs to them. */
  readonly exact: boolean;
}

interface ContextRow {
  readonly schemas: number[];
  readonly kept: string[];
  readonly used: RareCatalog[];
  readonly types: TypeKind[];
  readonly commented: number[];
  readonly servers: boolean;
  readonly labels: boolean;
}

/**
 * What the readers of a part of the catalog work with: these objects, with what belongs to them unless `exact`, and
 * what they refer to.
 */
export async function openPart(session: Session, scope: CatalogScope, part: CatalogPart): Promise<KindContext> {
  const excludeSchemas = scope.excludeSchemas ?? defaultExcluded;
  const [row] = await session.sql<Pick<ContextRow, "schemas" | "kept" | "servers" | "labels">[]>`
    select ${schemasRead(session, excludeSchemas)} as schemas, ${keptSchemas(session, excludeSchemas)} as kept,
      exists (select from pg_catalog.pg_foreign_server) as servers, ${anyLabels(session)} as labels`;
  const reach = await readReach(session, row!.schemas, part.objects, !part.exact);
  const classes = new Set(reach.objects.classes());
  return {
    session,
    serverVersion: session.serverVersion,
    excludeSchemas: [...excludeSchemas, ...row!.kept],
    schemaOids: row!.schemas,
    reach,
    largeObjects: scope.largeObjects ?? false,
    inUse: new Set(rareCatalogs.filter((name) => classes.has(rareCatalogOids[name]))),
    typeKinds: reach.typeKinds as ReadonlySet<TypeKind>,
    commented: new Set(reach.answer.classes()),
    hasServers: row!.servers,
    hasLabels: row!.labels,
  };
}

function schemasRead({ sql }: Session, excludeSchemas: readonly string[]) {
  return sql`array(
        select oid::int8 from pg_catalog.pg_namespace
        where nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
          and nspname !~ '^pg_(toast_)?temp_'
          and nspname <> all (${[...excludeSchemas]}::text[])
          ${excludeSchemas.includes("belay") ? sql`and not starts_with(nspname, ${keptPrefix})` : sql``}
        order by oid)::float8[]`;
}

/** The schemas of kept rows, where they are left out. */
function keptSchemas({ sql }: Session, excludeSchemas: readonly string[]) {
  if (!excludeSchemas.includes("belay")) return sql`array[]::text[]`;
  return sql`array(select nspname::text from pg_catalog.pg_namespace where starts_with(nspname, ${keptPrefix}))`;
}

function anyLabels({ sql }: Session) {
  return sql`(exists (select from pg_catalog.pg_seclabel) or exists (select from pg_catalog.pg_shseclabel))`;
}

/** Asks once what there is at all, so that the readers of rarer kinds need not ask, nor the server plan, their queries. */
export async function openContext(session: Session, scope: CatalogScope): Promise<KindContext> {
  const excludeSchemas = scope.excludeSchemas ?? defaultExcluded;
  const [row] = await session.sql<ContextRow[]>`
    with member as materialized (
      select classid, count(*) as number from pg_catalog.pg_depend
      where refclassid = 'pg_catalog.pg_extension'::regclass and deptype = 'e' and objid >= 16384 group by classid
    )
    select ${schemasRead(session, excludeSchemas)} as schemas, ${keptSchemas(session, excludeSchemas)} as kept,
      array(
        select name from (values ${objectCounts(session)}) c (name, number)
        where number > coalesce((select m.number from member m where m.classid = name::regclass), 0)) as used,
      array(
        -- Neither row types of tables nor arrays.
        select distinct t.typtype::text from pg_catalog.pg_type t
          left join pg_catalog.pg_class c on c.oid = t.typrelid
          left join pg_catalog.pg_type e on e.oid = t.typelem and e.typarray = t.oid
        where t.oid >= 16384 and (c.oid is null or c.relkind = 'c') and e.oid is null) as types,
      array(
        select distinct classoid::int8 from pg_catalog.pg_description where objoid >= 16384)::float8[] as commented,
      exists (select from pg_catalog.pg_foreign_server) as servers,
      ${anyLabels(session)} as labels`;
  return {
    session,
    serverVersion: session.serverVersion,
    excludeSchemas: [...excludeSchemas, ...row!.kept],
    schemaOids: row!.schemas,
    reach: null,
    largeObjects: scope.largeObjects ?? false,
    inUse: new Set(row!.used),
    typeKinds: new Set(row!.types),
    commented: new Set(row!.commented),
    hasServers: row!.servers,
    hasLabels: row!.labels,
  };
}

/** Each rare catalog with the number of its objects that initdb did not make. */
function objectCounts({ sql }: Session) {
  return rareCatalogs
    .map((name) => sql`(${name}::text, (select count(*) from ${sql(`pg_catalog.${name}`)} where oid >= 16384))`)
    .reduce((all, one) => sql`${all}, ${one}`);
}
