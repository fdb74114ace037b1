/** Everything that a statement can name, one row each. */
export const objectsSql = `
  select 'relation' as family, 'pg_class'::regclass::oid::int8 as classid, c.oid::int8 as objid, n.nspname as schema, c.relname as name,
         null::int8 as relid, c.relkind::text as sub, null::text as args, coalesce(i.indrelid, 0)::int8 as other
    from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_index i on i.indexrelid = c.oid
   where n.nspname not in ('pg_catalog', 'pg_toast', 'information_schema')
  union all
  select 'type', 'pg_type'::regclass::oid, t.oid, n.nspname, t.typname, nullif(t.typrelid, 0)::int8, t.typtype::text,
         t.typelem::text, t.typarray::int8
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname not in ('pg_toast', 'information_schema')
  union all
  select 'routine', 'pg_proc'::regclass::oid, p.oid, n.nspname, p.proname, null, p.prokind::text, p.proargtypes::text, 0
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname not in ('pg_catalog', 'information_schema')
  union all
  select 'constraint', 'pg_constraint'::regclass::oid, c.oid, n.nspname, c.conname, nullif(greatest(c.conrelid, c.contypid), 0)::int8,
         c.contype::text, c.conindid::text, c.confrelid::int8
    from pg_constraint c join pg_namespace n on n.oid = c.connamespace where n.nspname <> 'information_schema'
  union all
  select 'trigger', 'pg_trigger'::regclass::oid, t.oid, null, t.tgname, t.tgrelid::int8, case when t.tgisinternal then 'i' else '' end, null, 0 from pg_trigger t
  union all
  select 'policy', 'pg_policy'::regclass::oid, p.oid, null, p.polname, p.polrelid::int8, '', null, 0 from pg_policy p
  union all
  select 'rule', 'pg_rewrite'::regclass::oid, r.oid, null, r.rulename, r.ev_class::int8, '', null, 0 from pg_rewrite r
  union all
  select 'default', 'pg_attrdef'::regclass::oid, d.oid, null, d.adnum::text, d.adrelid::int8, '', null, 0 from pg_attrdef d
  union all
  select 'schema', 'pg_namespace'::regclass::oid, n.oid, null, n.nspname, null, '', null, 0 from pg_namespace n
  union all
  select 'extension', 'pg_extension'::regclass::oid, e.oid, null, e.extname, null, '', null, 0 from pg_extension e
  union all
  select 'statistics', 'pg_statistic_ext'::regclass::oid, s.oid, n.nspname, s.stxname, s.stxrelid::int8, '', null, 0
    from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
  union all
  select 'collation', 'pg_collation'::regclass::oid, c.oid, n.nspname, c.collname, null, '', null, 0
    from pg_collation c join pg_namespace n on n.oid = c.collnamespace where n.nspname <> 'pg_catalog'
  union all
  select 'conversion', 'pg_conversion'::regclass::oid, c.oid, n.nspname, c.conname, null, '', null, 0
    from pg_conversion c join pg_namespace n on n.oid = c.connamespace where n.nspname <> 'pg_catalog'
  union all
  select 'operator', 'pg_operator'::regclass::oid, o.oid, n.nspname, o.oprname, null, '', o.oprleft || ' ' || o.oprright, 0
    from pg_operator o join pg_namespace n on n.oid = o.oprnamespace where n.nspname <> 'pg_catalog'
  union all
  select 'opclass', 'pg_opclass'::regclass::oid, o.oid, n.nspname, o.opcname, null, a.amname, null, 0
    from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace join pg_am a on a.oid = o.opcmethod where n.nspname <> 'pg_catalog'
  union all
  select 'opfamily', 'pg_opfamily'::regclass::oid, o.oid, n.nspname, o.opfname, null, a.amname, null, 0
    from pg_opfamily o join pg_namespace n on n.oid = o.opfnamespace join pg_am a on a.oid = o.opfmethod where n.nspname <> 'pg_catalog'
  union all
  select 'tsconfig', 'pg_ts_config'::regclass::oid, t.oid, n.nspname, t.cfgname, null, '', null, 0
    from pg_ts_config t join pg_namespace n on n.oid = t.cfgnamespace where n.nspname <> 'pg_catalog'
  union all
  select 'tsdict', 'pg_ts_dict'::regclass::oid, t.oid, n.nspname, t.dictname, null, '', null, 0
    from pg_ts_dict t join pg_namespace n on n.oid = t.dictnamespace where n.nspname <> 'pg_catalog'
  union all
  select 'tsparser', 'pg_ts_parser'::regclass::oid, t.oid, n.nspname, t.prsname, null, '', null, 0
    from pg_ts_parser t join pg_namespace n on n.oid = t.prsnamespace where n.nspname <> 'pg_catalog'
  union all
  select 'tstemplate', 'pg_ts_template'::regclass::oid, t.oid, n.nspname, t.tmplname, null, '', null, 0
    from pg_ts_template t join pg_namespace n on n.oid = t.tmplnamespace where n.nspname <> 'pg_catalog'
  union all
  select 'cast', 'pg_cast'::regclass::oid, c.oid, null, '(' || format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null) || ')',
         null, '', c.castsource || ' ' || c.casttarget, 0 from pg_cast c
  union all
  select 'transform', 'pg_transform'::regclass::oid, t.oid, null, 'for ' || format_type(t.trftype, null) || ' language ' || l.lanname,
         null, l.lanname, t.trftype::text, 0 from pg_transform t join pg_language l on l.oid = t.trflang
  union all
  select 'language', 'pg_language'::regclass::oid, l.oid, null, l.lanname, null, '', null, 0 from pg_language l
  union all
  select 'publication', 'pg_publication'::regclass::oid, p.oid, null, p.pubname, null, '', null, 0 from pg_publication p
  union all
  select 'event_trigger', 'pg_event_trigger'::regclass::oid, e.oid, null, e.evtname, null, '', null, 0 from pg_event_trigger e
  union all
  select 'fdw', 'pg_foreign_data_wrapper'::regclass::oid, f.oid, null, f.fdwname, null, '', null, 0 from pg_foreign_data_wrapper f
  union all
  select 'server', 'pg_foreign_server'::regclass::oid, f.oid, null, f.srvname, null, '', null, 0 from pg_foreign_server f
  union all
  select 'user mapping', 'pg_user_mapping'::regclass::oid, u.umid, null, 'for ' || u.usename || ' on server ' || u.srvname, null,
         case when u.usename = current_user then 'own' else '' end, null, 0 from pg_user_mappings u
  union all
  select 'subscription', 'pg_subscription'::regclass::oid, s.oid, null, s.subname, null, '', null, 0 from pg_subscription s
   where s.subdbid = (select oid from pg_database where datname = current_database())
  union all
  select 'access_method', 'pg_am'::regclass::oid, a.oid, null, a.amname, null, '', null, 0 from pg_am a`;

export const columnsSql = `
  select a.attrelid::int8 as relid, a.attnum::int4 as number, a.attname as name, a.atttypid::int8 as "typeOid", a.attnotnull as "notNull",
         a.attgenerated::text as generated, a.attinhcount > 0 as inherited
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
   where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
     and n.nspname not in ('pg_catalog', 'pg_toast', 'information_schema')`;

export const indexesSql = `
  select i.indexrelid::int8 as oid, i.indrelid::int8 as relid, i.indisunique as unique, i.indisprimary as primary,
         (i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null) as plain, i.indkey::text as columns, i.indnkeyatts::int4 as keys
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
   where n.nspname not in ('pg_catalog', 'pg_toast', 'information_schema')`;

export const foreignKeysSql = `
  select c.oid::int8 as oid, c.conname as name, c.conrelid::int8 as child, c.confrelid::int8 as parent,
         array_to_string(c.conkey, ' ') as columns, array_to_string(c.confkey, ' ') as "references",
         c.confdeltype::text as "onDelete", c.confupdtype::text as "onUpdate"
    from pg_constraint c where c.contype = 'f'`;

// reset_val is the role's or database's own setting, even while a reader has emptied the path for its transaction.
export const searchPathSql = `
  select n.nspname as name
    from pg_settings s,
         unnest(string_to_array(s.reset_val, ',')) with ordinality as p (entry, position)
         join pg_namespace n on n.nspname = case when btrim(p.entry, ' "') = '$user' then current_user else btrim(p.entry, ' "') end
   where s.name = 'search_path' order by p.position`;
