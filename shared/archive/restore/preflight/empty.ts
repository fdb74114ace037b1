import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";

const shown = 5;

/** Names of users' objects in the database: what extensions own does not count, nor an empty schema public. */
export async function readUserObjects(session: Session): Promise<string[]> {
  const found = await session.sql<{ name: string }[]>`
    with schemas as (
      select oid, nspname from pg_catalog.pg_namespace
      where nspname <> 'information_schema' and nspname !~ '^pg_'
    ), found as (
      select 'pg_namespace'::regclass as class, oid, format('schema %I', nspname) as name from schemas
        where nspname not in ('public')
      union all select 'pg_class'::regclass, c.oid, format('%I.%I', n.nspname, c.relname)
        from pg_catalog.pg_class c join schemas n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      union all select 'pg_proc'::regclass, p.oid, format('function %I.%I', n.nspname, p.proname)
        from pg_catalog.pg_proc p join schemas n on n.oid = p.pronamespace
      union all select 'pg_type'::regclass, t.oid, format('type %I.%I', n.nspname, t.typname)
        from pg_catalog.pg_type t join schemas n on n.oid = t.typnamespace where t.typtype in ('e', 'd', 'r')
      union all select 'pg_extension'::regclass, e.oid, format('extension %I', e.extname)
        from pg_catalog.pg_extension e where e.oid >= 16384
      union all select 'pg_event_trigger'::regclass, e.oid, format('event trigger %I', e.evtname) from pg_catalog.pg_event_trigger e
      union all select 'pg_publication'::regclass, p.oid, format('publication %I', p.pubname) from pg_catalog.pg_publication p
      union all select 'pg_largeobject'::regclass, l.oid, format('large object %s', l.oid)
        from pg_catalog.pg_largeobject_metadata l
      union all select classid, objid, pg_catalog.pg_describe_object(classid, objid, 0) from (
        select 'pg_type'::regclass, t.oid from pg_catalog.pg_type t left join pg_catalog.pg_class c on c.oid = t.typrelid
          where t.typelem = 0 and (t.typtype in ('b', 'p') or c.relkind = 'c')
        union all select 'pg_collation'::regclass, oid from pg_catalog.pg_collation
        union all select 'pg_conversion'::regclass, oid from pg_catalog.pg_conversion
        union all select 'pg_operator'::regclass, oid from pg_catalog.pg_operator
        union all select 'pg_opfamily'::regclass, oid from pg_catalog.pg_opfamily
        union all select 'pg_cast'::regclass, oid from pg_catalog.pg_cast
        union all select 'pg_language'::regclass, oid from pg_catalog.pg_language
        union all select 'pg_am'::regclass, oid from pg_catalog.pg_am
        union all select 'pg_ts_config'::regclass, oid from pg_catalog.pg_ts_config
        union all select 'pg_ts_dict'::regclass, oid from pg_catalog.pg_ts_dict
        union all select 'pg_ts_parser'::regclass, oid from pg_catalog.pg_ts_parser
        union all select 'pg_ts_template'::regclass, oid from pg_catalog.pg_ts_template
        union all select 'pg_foreign_data_wrapper'::regclass, oid from pg_catalog.pg_foreign_data_wrapper
        union all select 'pg_default_acl'::regclass, oid from pg_catalog.pg_default_acl
      ) as others (classid, objid) where objid >= 16384
    ) select f.name from found f
      where not exists (select from pg_catalog.pg_depend d where d.classid = f.class and d.objid = f.oid and d.deptype = 'e')
      order by f.name`;
  return found.map(({ name }) => name);
}

/** Throws `restore_target`, naming some, when users' objects are already in the database. */
export async function requireEmptyDatabase(session: Session, place = "the database"): Promise<void> {
  const found = await readUserObjects(session);
  if (found.length === 0) return;
  const names = `${found.slice(0, shown).join(", ")}${found.length > shown ? ` and ${found.length - shown} more` : ""}`;
  throw new BelayError("restore_target", `${place} is not empty: it has ${names}`, {
    hint: "Nothing was changed. Restore into a new database (--create makes the one that the URL names), or pass --into-non-empty.",
    details: { reason: "not_empty", objects: found.slice(0, 100) },
  });
}
