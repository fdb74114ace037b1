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

/** The same of casts, operators, types and the like: whole rows, with names for the oids in them. */
const codeQueries = {
  casts: `select castsource::regtype::text, casttarget::regtype::text, castfunc::regprocedure::text, castcontext::text, castmethod::text from pg_cast where oid >= 16384`,
  operators: `
    select oid::regoperator::text, pg_get_userbyid(oprowner)::text, oprkind::text, oprcanmerge, oprcanhash, oprresult::regtype::text, oprcom::regoperator::text,
      oprnegate::regoperator::text, oprcode::regprocedure::text, oprrest::regproc::text, oprjoin::regproc::text from pg_operator where oid >= 16384`,
  families: `select opfnamespace::regnamespace::text, opfname::text, pg_get_userbyid(opfowner)::text, (select amname::text from pg_am where oid = opfmethod) from pg_opfamily where oid >= 16384`,
  classes: `
    select opcnamespace::regnamespace::text, opcname::text, pg_get_userbyid(opcowner)::text, opcintype::regtype::text, opcdefault, opckeytype::regtype::text,
      (select opfname::text from pg_opfamily where oid = opcfamily) as family from pg_opclass where oid >= 16384`,
  members: `
    select (pg_identify_object('pg_amop'::regclass, m.oid, 0)).identity, amopopr::regoperator::text, amoppurpose::text, amopsortfamily <> 0 as sorts,
      (select deptype::text from pg_depend where classid = 'pg_amop'::regclass and objid = m.oid and refclassid in ('pg_opclass'::regclass, 'pg_opfamily'::regclass)) from pg_amop m where oid >= 16384`,
  supports: `
    select (pg_identify_object('pg_amproc'::regclass, m.oid, 0)).identity, amproc::regprocedure::text,
      (select deptype::text from pg_depend where classid = 'pg_amproc'::regclass and objid = m.oid and refclassid in ('pg_opclass'::regclass, 'pg_opfamily'::regclass)) from pg_amproc m where oid >= 16384`,
  collations: `select to_jsonb(c) - '{oid,collnamespace,collowner,collencoding}'::text[] as row, collnamespace::regnamespace::text, pg_get_userbyid(collowner)::text from pg_collation c where oid >= 16384`,
  conversions: `select to_jsonb(c) - 'oid' - 'connamespace' - 'conowner' as row, connamespace::regnamespace::text, pg_get_userbyid(conowner)::text from pg_conversion c where oid >= 16384`,
  types: `
    select to_jsonb(t) - '{oid,typnamespace,typowner,typarray,typelem,typrelid,typbasetype,typcollation,typacl,typsubscript}'::text[] as row, oid::regtype::text,
      pg_get_userbyid(typowner)::text as owner, typelem::regtype::text, typbasetype::regtype::text, typcollation::regcollation::text, typarray::regtype::text, typsubscript::regproc::text
    from pg_type t where oid >= 16384 and typtype in ('b', 'r', 'm', 'p')`,
  ranges: `select rngtypid::regtype::text, rngsubtype::regtype::text, rngmultitypid::regtype::text, rngcollation::regcollation::text, rngcanonical::regproc::text, rngsubdiff::regproc::text from pg_range where rngtypid >= 16384`,
  languages: `select lanname::text, pg_get_userbyid(lanowner)::text, lanpltrusted, lanplcallfoid::regproc::text, laninline::regproc::text, lanvalidator::regproc::text from pg_language where oid >= 16384`,
  methods: `select amname::text, amtype::text, amhandler::regproc::text from pg_am where oid >= 16384`,
  transforms: `select trftype::regtype::text, (select lanname::text from pg_language where oid = trflang), trffromsql::regprocedure::text, trftosql::regprocedure::text from pg_transform`,
  parsers: `select prsnamespace::regnamespace::text, prsname::text, prsstart::text, prstoken::text, prsend::text, prsheadline::text, prslextype::text from pg_ts_parser where oid >= 16384`,
  templates: `select tmplnamespace::regnamespace::text, tmplname::text, tmplinit::text, tmpllexize::text from pg_ts_template where oid >= 16384`,
  dictionaries: `
    select oid::regdictionary::text, pg_get_userbyid(dictowner)::text, dictinitoption, (select tmplname::text from pg_ts_template where oid = dicttemplate) from pg_ts_dict where oid >= 16384`,
  configurations: `
    select oid::regconfig::text, pg_get_userbyid(cfgowner)::text, (select prsname::text from pg_ts_parser where oid = cfgparser) as parser,
      (select json_agg(json_build_array(maptokentype, mapseqno, mapdict::regdictionary::text) order by maptokentype, mapseqno) from pg_ts_config_map where mapcfg = c.oid) as map
    from pg_ts_config c where oid >= 16384`,
  functions: `
    select oid::regprocedure::text, to_jsonb(p) - '{oid,pronamespace,proowner,prolang,provariadic,prosupport,prorettype,proargtypes,proallargtypes,protrftypes,proargdefaults,prosqlbody,proacl}'::text[] as row,
      pg_get_userbyid(proowner)::text, prolang::int < 16384 as builtin, protrftypes::regtype[]::text, prorettype::regtype::text
    from pg_proc p where oid >= 16384 and pronamespace::regnamespace::text !~ '^pg_'`,
  comments: `
    select identity, description from pg_description, pg_identify_object(classoid, objoid, objsubid)
    where objoid >= 16384`,
} as const;

/** One sorted line per fact. */
export function relationFacts(url: string): Promise<string[]> {
  return sortedFacts(url, queries);
}

/** One sorted line per fact of code-like objects. */
export function codeFacts(url: string): Promise<string[]> {
  return sortedFacts(url, codeQueries);
}

async function sortedFacts(url: string, queries: Readonly<Record<string, string>>): Promise<string[]> {
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
