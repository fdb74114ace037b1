import type { KindContext } from "./kind.ts";
import { readableMapping } from "./kinds/foreign-data.ts";
import { inScope, touches } from "./kinds/in-scope.ts";
import { catalog } from "./kinds/raw-entry.ts";
import { ofDatabase, readableSubscriptions } from "./kinds/subscriptions.ts";
import type { UnknownObject } from "./types.ts";

/** pg_amop, pg_amproc, pg_user_mapping, pg_subscription and pg_largeobject. */
const unknownCatalogs = [2602, 2603, catalog.userMapping, catalog.subscription, catalog.largeObject];

/** Names every object of the database that no kind reader writes. Members of extensions come with their extension. */
export async function readUnknownObjects(context: KindContext): Promise<Omit<UnknownObject, "neededBy">[]> {
  const { session, largeObjects } = context;
  if (!touches(context, ...unknownCatalogs) && !context.hasLabels) return [];
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
      ${context.hasServers ? hiddenMappings(context) : session.sql``}
      ${context.inUse.has("pg_subscription") ? hiddenSubscriptions(context) : session.sql``}
      union all (select 'BLOB', 'pg_largeobject'::regclass, oid from pg_largeobject_metadata
        where not ${largeObjects} ${inScope(context, catalog.largeObject, session.sql`oid`)} limit 1)
    )
    select f.kind, f.classid::oid as classid, f.objid,
      case f.kind when 'BLOB' then 'large objects' else coalesce(i.identity, f.kind) end ||
      case f.kind when 'USER MAPPING' then ' (its options are hidden from this role: read it as superuser)'
        when 'SUBSCRIPTION' then ' (its connection is hidden from this role: read it as superuser)' else '' end as identity
    from found f, pg_identify_object(f.classid::oid, f.objid, 0) i
    where not exists (
      select from pg_depend d where d.classid = f.classid and d.objid = f.objid and d.deptype = 'e'
    )
    ${context.hasLabels ? oddLabels(context) : session.sql``}
    order by 1, 4`;
  return rows.map(({ kind, identity, classid, objid }) => ({
    kind,
    identity,
    address: { classid, objid, objsubid: 0 },
  }));
}

/** Options that the server does not show to us look like none. */
function hiddenMappings({ session }: KindContext) {
  return session.sql`
    union all select 'USER MAPPING', 'pg_user_mapping'::regclass, umid
    from pg_user_mappings u join pg_foreign_server s on s.oid = srvid where not ${readableMapping({ session })}`;
}

function hiddenSubscriptions({ session }: KindContext) {
  return session.sql`
    union all select 'SUBSCRIPTION', 'pg_subscription'::regclass, oid from pg_subscription s
    where ${ofDatabase({ session })} and not ${readableSubscriptions({ session })}`;
}

/** Labels on what had none when this was written. */
function oddLabels({ session }: KindContext) {
  return session.sql`
    union all
    select distinct on (l.classoid, l.objoid) 'SECURITY LABEL', l.classoid, l.objoid, coalesce(i.identity, 'security label')
    from pg_seclabel l, pg_identify_object(l.classoid, l.objoid, 0) i
    where l.classoid not in ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass,
      'pg_language'::regclass, 'pg_extension'::regclass, 'pg_event_trigger'::regclass, 'pg_publication'::regclass,
      'pg_subscription'::regclass, 'pg_largeobject'::regclass)`;
}
