import type { Session } from "../../postgres/session.ts";
import { objectsOf } from "./graph-queries.ts";
import type { GraphScope } from "./graph-scope.ts";

/** The objects that matter to some statements. */
export interface GraphReach {
  readonly addresses: readonly { readonly classid: number; readonly catalog: string; readonly objid: number }[];
}

/** Beyond this, reading all is as fast. */
const most = 20_000;

/**
 * Follows pg_depend from what statements name: down to all that hangs on it, and from there up to what each of those
 * belongs to. null when that is most of the database anyway.
 */
export async function readGraphReach(session: Session, scope: GraphScope): Promise<GraphReach | null> {
  const rows = await session.sql.unsafe(reachSql(scope), [[...scope.names], [...scope.holders]] as never);
  const [row] = rows;
  const text = (row?.addresses ?? "") as string;
  if (row!.number > most) return null;
  const catalogs = new Map(((row!.catalogs ?? []) as [number, string][]).map(([oid, name]) => [oid, name]));
  const addresses = text === "" ? [] : text.split(" ").map((one) => one.split("/").map(Number) as [number, number]);
  return { addresses: addresses.map(([classid, objid]) => ({ classid, catalog: catalogs.get(classid) ?? "", objid })) };
}

function reachSql(scope: GraphScope): string {
  return `
    with recursive word (name) as materialized (select distinct unnest($1::text[])::name),
    seed (classid, objid) as materialized (${seeds(scope).join("\n union ")}),
    hanging (classid, objid, inner_one) as (
      select classid, objid, false from seed
      union
      select n.classid, n.objid, true from hanging h cross join lateral (
        select d.classid, d.objid from pg_depend d where d.refclassid = h.classid and d.refobjid = h.objid and d.deptype <> 'p'
        union all
        select d.refclassid, d.refobjid from pg_depend d
         where h.inner_one and d.classid = h.classid and d.objid = h.objid and d.deptype in ('i', 'e')
        ${scope.followsKeys ? "union all select 'pg_class'::regclass, c.conrelid from pg_constraint c where h.classid = 'pg_constraint'::regclass and c.oid = h.objid and c.contype = 'f'" : ""}
      ) n
    ), belonging (classid, objid) as (
      select classid, objid from hanging
      union select classid, objid from beside
      union
      select n.classid, n.objid from belonging b cross join lateral (
        select d.refclassid as classid, d.refobjid as objid from pg_depend d
         where d.classid = b.classid and d.objid = b.objid and d.deptype in ('i', 'a', 'e', 'P', 'S') and d.refobjid <> 0
        ${owners.join("\n")}
      ) n
    ), beside (classid, objid) as materialized (${besides().join("\n union ")}
    ), members as materialized (select distinct classid, objid from belonging where objid <> 0)
    select (select count(*)::int from members) as number,
      (select string_agg(concat(classid, '/', objid), ' ') from members) as addresses,
      (select json_agg(json_build_array(oid::int8, relname)) from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')
        and oid in (select classid from members)) as catalogs`;
}

/** Catalogs whose objects belong to something else by pg_depend, and are found through it. */
const parts = new Set(["constraint", "trigger", "policy", "rule", "default"]);
/** Named in passing by most statements: only those that go lead further. */
const holders = new Set(["schema", "language", "extension", "access_method"]);
const unnamed = new Set(["cast", "transform", "user mapping", "default privileges"]);

const nameOf = Object.fromEntries(objectsOf.map(({ family, columns }) => [family, columns[1]]));

function seeds(scope: GraphScope): string[] {
  return objectsOf
    .filter(({ family }) => !parts.has(family) && (scope.unnamed || !unnamed.has(family)))
    .map(({ family, catalog, oid, from, where }) => {
      const all = unnamed.has(family);
      const words = holders.has(family) ? "(select unnest($2::text[])::name)" : "(select name from word)";
      const conditions = [where, all ? undefined : `${nameOf[family]} in ${words}`].filter(Boolean);
      return `select '${catalog}'::regclass::oid, ${oid} from ${from}${conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`}`;
    });
}

/** Looked up by name, or by the type that is named, without what hangs on them. */
function besides(): string[] {
  return [
    ...objectsOf
      .filter(({ family }) => holders.has(family))
      .map(
        ({ family, catalog, oid, from }) =>
          `select '${catalog}'::regclass::oid, ${oid} from ${from} where ${nameOf[family]} in (select name from word)`,
      ),
    "select 'pg_type'::regclass::oid, t.typarray from pg_type t where t.typname in (select name from word)",
  ];
}

/** The relation, type or index that an object is of, where pg_depend does not say it. */
const owners = [
  "union all select 'pg_class'::regclass, o.oid from pg_constraint c, unnest(array[c.conrelid, c.confrelid, c.conindid]) o (oid) where b.classid = 'pg_constraint'::regclass and c.oid = b.objid",
  "union all select 'pg_type'::regclass, c.contypid from pg_constraint c where b.classid = 'pg_constraint'::regclass and c.oid = b.objid",
  "union all select 'pg_class'::regclass, t.tgrelid from pg_trigger t where b.classid = 'pg_trigger'::regclass and t.oid = b.objid",
  "union all select 'pg_class'::regclass, i.indrelid from pg_index i where b.classid = 'pg_class'::regclass and i.indexrelid = b.objid",
  "union all select 'pg_class'::regclass, p.polrelid from pg_policy p where b.classid = 'pg_policy'::regclass and p.oid = b.objid",
  "union all select 'pg_class'::regclass, r.ev_class from pg_rewrite r where b.classid = 'pg_rewrite'::regclass and r.oid = b.objid",
  "union all select 'pg_class'::regclass, t.typrelid from pg_type t where b.classid = 'pg_type'::regclass and t.oid = b.objid",
  "union all select 'pg_class'::regclass, s.stxrelid from pg_statistic_ext s where b.classid = 'pg_statistic_ext'::regclass and s.oid = b.objid",
];
