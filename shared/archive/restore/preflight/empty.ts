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
