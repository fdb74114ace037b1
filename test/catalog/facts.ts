import { openSession } from "../../shared/postgres/session.ts";

/** Facts about relations taken straight from the system catalogs, by name: a second opinion beside the reader's. */
const queries = {
  relations: `
    select c.oid::regclass::text as name, c.relkind::text, c.relpersistence::text, c.reloptions::text, t.reloptions::text as toast,
      c.relreplident::text, c.relrowsecurity, c.relforcerowsecurity, c.relispartition, c.reloftype::regtype::text,
      pg_get_userbyid(c.relowner)::text as owner, am.amname::text, pg_get_expr(c.relpartbound, c.oid) as bound
    from pg_class c left join pg_class t on t.oid = c.reltoastrelid left join pg_am am on am.oid = c.relam
    where c.relnamespace >= 2200 and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`,
  columns: `
    select a.attrelid::regclass::text as relation, a.attname::text, format_type(a.atttypid, a.atttypmod) as type,
      a.attnotnull, a.attidentity::text, a.attgenerated::text, a.attstorage::text, a.attcompression::text,
      nullif(a.attstattarget::int, -1) as target, a.attoptions::text, a.attislocal, a.attinhcount::int, a.attcollation::regcollation::text,
      pg_get_expr(d.adbin, d.adrelid) as expression, a.attacl::text
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attnum > 0 and not a.attisdropped and c.relkind not in ('t', 'i', 'I')
      and c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`,
  inheritance: `
    select inhrelid::regclass::text as child, inhparent::regclass::text as parent, inhseqno from pg_inherits`,
  constraints: `
    select conrelid::regclass::text as relation, contypid::regtype::text as domain, conname::text, contype::text,
      pg_get_constraintdef(oid) as definition, convalidated, condeferrable, condeferred,
      -- ATTACH PARTITION of an index leaves other marks than CREATE INDEX on the parent does, also after pg_restore.
      case when contype in ('c', 'n', 'f') then json_build_array(conislocal, coninhcount, connoinherit) end as inheritance,
      conparentid <> 0 as cloned
    from pg_constraint where connamespace::regnamespace::text !~ '^(pg_|information_schema)'`,
  indexes: `
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition, indisvalid, indisclustered, indisreplident,
      indisprimary, indisunique, indimmediate
    from pg_index where indrelid::regclass::text !~ '^(pg_|information_schema)'`,
  triggers: `
    select tgrelid::regclass::text as relation, tgname::text, pg_get_triggerdef(oid) as definition, tgenabled::text, tgparentid <> 0 as cloned
    from pg_trigger where not tgisinternal`,
  rules: `select pg_get_ruledef(oid) as definition, ev_enabled::text from pg_rewrite where ev_class >= 16384`,
  policies: `
    select polrelid::regclass::text as relation, polname::text, polcmd::text, polpermissive, pg_get_expr(polqual, polrelid) as using,
      pg_get_expr(polwithcheck, polrelid) as check, polroles::regrole[]::text from pg_policy`,
  sequences: `
    select seqrelid::regclass::text as name, seqtypid::regtype::text, seqstart::text, seqincrement::text, seqmax::text, seqmin::text,
      seqcache::text, seqcycle, (select refobjid::regclass::text || '.' || refobjsubid is not null from pg_depend
        where classid = 'pg_class'::regclass and objid = seqrelid and deptype in ('a', 'i')) as owned
    from pg_sequence`,
  statistics: `select pg_get_statisticsobjdef(oid) as definition, stxstattarget::int, pg_get_userbyid(stxowner)::text from pg_statistic_ext`,
} as const;

/** One sorted line per fact. */
export async function relationFacts(url: string): Promise<string[]> {
  const session = await openSession(url);
  try {
    await session.run("set search_path = ''");
    const facts: string[] = [];
    for (const [kind, query] of Object.entries(queries))
      for (const row of await session.run(query)) facts.push(`${kind} ${JSON.stringify(row)}`);
    return facts.sort();
  } finally {
    await session.close();
  }
}
