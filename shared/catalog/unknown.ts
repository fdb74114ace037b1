import type { KindContext } from "./kind.ts";
import type { UnknownObject } from "./types.ts";

/** Names every object of the database that no kind reader writes. Members of extensions come with their extension. */
export async function readUnknownObjects({
  session,
  schemaOids,
}: KindContext): Promise<Omit<UnknownObject, "neededBy">[]> {
  const rows = await session.sql<{ kind: string; identity: string; classid: number; objid: number }[]>`
    with found (kind, classid, objid) as (
      -- A family of the server's or of an extension has no entry that could hold what was added to it.
      select 'OPERATOR FAMILY MEMBER', m.classid, m.objid
      from (
        select tableoid as classid, oid as objid, amopfamily as family, 'pg_operator'::regclass as refclassid, amopopr as refobjid
        from pg_amop where oid >= 16384
        union all select tableoid, oid, amprocfamily, 'pg_proc'::regclass, amproc from pg_amproc where oid >= 16384
      ) m
      where (family < 16384 or m.refobjid >= 16384 and exists (select from pg_depend d
          where d.classid = 'pg_opfamily'::regclass and d.objid = family and d.deptype = 'e'))
        and not exists (select from pg_depend d
          where d.classid = m.classid and d.objid = m.objid and d.refclassid = 'pg_opclass'::regclass)
        and not exists (select from pg_depend d
          where d.classid = m.refclassid and d.objid = m.refobjid and d.deptype = 'e')
      union all select 'FOREIGN TABLE', 'pg_class'::regclass, oid from pg_class where relkind = 'f' and relnamespace = any (${schemaOids}::oid[])
      union all select 'FOREIGN DATA WRAPPER', 'pg_foreign_data_wrapper'::regclass, oid from pg_foreign_data_wrapper where oid >= 16384
      union all select 'SERVER', 'pg_foreign_server'::regclass, oid from pg_foreign_server where oid >= 16384
      union all select 'USER MAPPING', 'pg_user_mapping'::regclass, umid from pg_user_mappings
      union all select 'SUBSCRIPTION', 'pg_subscription'::regclass, oid from pg_subscription
        where subdbid = (select oid from pg_database where datname = current_database())
      union all (select 'BLOB', 'pg_largeobject'::regclass, min(oid) from pg_largeobject_metadata having count(*) > 0)
    )
    select f.kind, f.classid::oid as classid, f.objid, case f.kind when 'BLOB' then (select count(*) from pg_largeobject_metadata) || ' large objects'
        else coalesce(i.identity, f.kind) end as identity
    from found f, pg_identify_object(f.classid::oid, f.objid, 0) i
    where not exists (
      select from pg_depend d where d.classid = f.classid and d.objid = f.objid and d.deptype = 'e'
    )
    union all
    select distinct on (l.classoid, l.objoid) 'SECURITY LABEL', l.classoid, l.objoid, coalesce(i.identity, 'security label')
    from pg_seclabel l, pg_identify_object(l.classoid, l.objoid, 0) i
    order by 1, 4`;
  return rows.map(({ kind, identity, classid, objid }) => ({
    kind,
    identity,
    address: { classid, objid, objsubid: 0 },
  }));
}
