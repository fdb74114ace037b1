/** How the objects of one system catalog that a statement can name are read. */
export interface ObjectsOf {
  readonly family: string;
  /** The system catalog whose oid an address names. */
  readonly catalog: string;
  /** Expression of the object's oid. */
  readonly oid: string;
  /** Expressions of schema, name, relation that it belongs to, sub, args and other. */
  readonly columns: readonly [string, string, string, string, string, string];
  readonly from: string;
  readonly where?: string;
}

const inSchema = (alias: string, column: string) => `pg_namespace n on n.oid = ${alias}.${column}`;

/** Everything that a statement can name, catalog by catalog. */
export const objectsOf: readonly ObjectsOf[] = [
  {
    family: "relation",
    catalog: "pg_class",
    oid: "c.oid",
    columns: ["n.nspname", "c.relname", "null", "c.relkind", "null", "coalesce(i.indrelid, 0)"],
    from: `pg_class c join ${inSchema("c", "relnamespace")} left join pg_index i on i.indexrelid = c.oid`,
    where: "n.nspname not in ('pg_catalog', 'pg_toast', 'information_schema')",
  },
  {
    family: "type",
    catalog: "pg_type",
    oid: "t.oid",
    columns: ["n.nspname", "t.typname", "nullif(t.typrelid, 0)", "t.typtype", "t.typelem", "t.typarray"],
    from: `pg_type t join ${inSchema("t", "typnamespace")}`,
    where: "n.nspname not in ('pg_toast', 'information_schema')",
  },
  {
    family: "routine",
    catalog: "pg_proc",
    oid: "p.oid",
    columns: ["n.nspname", "p.proname", "null", "p.prokind", "p.proargtypes", "0"],
    from: `pg_proc p join ${inSchema("p", "pronamespace")}`,
    where: "n.nspname not in ('pg_catalog', 'information_schema')",
  },
  {
    family: "constraint",
    catalog: "pg_constraint",
    oid: "c.oid",
    columns: [
      "n.nspname",
      "c.conname",
      "nullif(greatest(c.conrelid, c.contypid), 0)",
      "c.contype",
      "c.conindid",
      "c.confrelid",
    ],
    from: `pg_constraint c join ${inSchema("c", "connamespace")}`,
    where: "n.nspname <> 'information_schema'",
  },
  ofRelation("trigger", "pg_trigger", "tgname", "tgrelid", "case when t.tgisinternal then 'i' else '' end"),
  ofRelation("policy", "pg_policy", "polname", "polrelid"),
  ofRelation("rule", "pg_rewrite", "rulename", "ev_class"),
  ofRelation("default", "pg_attrdef", "adnum::text", "adrelid"),
  named("schema", "pg_namespace", "nspname"),
  named("extension", "pg_extension", "extname"),
  {
    family: "statistics",
    catalog: "pg_statistic_ext",
    oid: "s.oid",
    columns: ["n.nspname", "s.stxname", "s.stxrelid", "''", "null", "0"],
    from: `pg_statistic_ext s join ${inSchema("s", "stxnamespace")}`,
  },
  inOwnSchema("collation", "pg_collation", "collname", "collnamespace"),
  inOwnSchema("conversion", "pg_conversion", "conname", "connamespace"),
  inOwnSchema("operator", "pg_operator", "oprname", "oprnamespace", { args: "t.oprleft || ' ' || t.oprright" }),
  inOwnSchema("opclass", "pg_opclass", "opcname", "opcnamespace", { method: "opcmethod" }),
  inOwnSchema("opfamily", "pg_opfamily", "opfname", "opfnamespace", { method: "opfmethod" }),
  inOwnSchema("tsconfig", "pg_ts_config", "cfgname", "cfgnamespace"),
  inOwnSchema("tsdict", "pg_ts_dict", "dictname", "dictnamespace"),
  inOwnSchema("tsparser", "pg_ts_parser", "prsname", "prsnamespace"),
  inOwnSchema("tstemplate", "pg_ts_template", "tmplname", "tmplnamespace"),
  {
    family: "cast",
    catalog: "pg_cast",
    oid: "c.oid",
    columns: [
      "null",
      "'(' || format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null) || ')'",
      "null",
      "''",
      "c.castsource || ' ' || c.casttarget",
      "0",
    ],
    from: "pg_cast c",
  },
  {
    family: "transform",
    catalog: "pg_transform",
    oid: "t.oid",
    columns: [
      "null",
      "'for ' || format_type(t.trftype, null) || ' language ' || l.lanname",
      "null",
      "l.lanname",
      "t.trftype",
      "0",
    ],
    from: "pg_transform t join pg_language l on l.oid = t.trflang",
  },
  named("language", "pg_language", "lanname"),
  named("publication", "pg_publication", "pubname"),
  named("event_trigger", "pg_event_trigger", "evtname"),
  named("fdw", "pg_foreign_data_wrapper", "fdwname"),
  named("server", "pg_foreign_server", "srvname"),
  {
    family: "user mapping",
    catalog: "pg_user_mapping",
    oid: "u.umid",
    columns: [
      "null",
      "'for ' || u.usename || ' on server ' || u.srvname",
      "null",
      "case when u.usename = current_user then 'own' else '' end",
      "null",
      "0",
    ],
    from: "pg_user_mappings u",
  },
  {
    family: "default privileges",
    catalog: "pg_default_acl",
    oid: "d.oid",
    columns: [
      "n.nspname",
      `'DEFAULT PRIVILEGES FOR ' || case d.defaclobjtype when 'r' then 'TABLES' when 'S' then 'SEQUENCES' when 'f' then 'FUNCTIONS'
        when 'T' then 'TYPES' when 'n' then 'SCHEMAS' else 'LARGE OBJECTS' end`,
      "null",
      "pg_get_userbyid(d.defaclrole)",
      "null",
      "0",
    ],
    from: "pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace",
  },
  {
    ...named("subscription", "pg_subscription", "subname"),
    where: "t.subdbid = (select oid from pg_database where datname = current_database())",
  },
  named("access_method", "pg_am", "amname"),
];

function named(family: string, catalog: string, name: string): ObjectsOf {
  return {
    family,
    catalog,
    oid: "t.oid",
    columns: ["null", `t.${name}`, "null", "''", "null", "0"],
    from: `${catalog} t`,
  };
}

function ofRelation(family: string, catalog: string, name: string, relation: string, sub = "''"): ObjectsOf {
  const columns = ["null", `t.${name}`, `t.${relation}`, sub, "null", "0"] as const;
  return { family, catalog, oid: "t.oid", columns, from: `${catalog} t` };
}

function inOwnSchema(
  family: string,
  catalog: string,
  name: string,
  schema: string,
  { args = "null", method }: { readonly args?: string; readonly method?: string } = {},
): ObjectsOf {
  return {
    family,
    catalog,
    oid: "t.oid",
    columns: ["n.nspname", `t.${name}`, "null", method === undefined ? "''" : "a.amname", args, "0"],
    from: `${catalog} t join ${inSchema("t", schema)}${method === undefined ? "" : ` join pg_am a on a.oid = t.${method}`}`,
    where: "n.nspname <> 'pg_catalog'",
  };
}

/** Rows of one family as JSON arrays, in the order of their oids; `only`: an SQL array of oids. */
export function objectsSql({ oid, columns, from, where }: ObjectsOf, only: string | null): string {
  const [schema, name, relid, sub, args, other] = columns;
  const conditions = [where, only === null ? undefined : `${oid} = any (${only})`].filter(Boolean);
  return `(select json_agg(json_build_array(${oid}::int8, ${schema}, ${name}, ${relid}::int8, (${sub})::text, (${args})::text, (${other})::int8) order by ${oid})
    from ${from}${conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`})`;
}

const ofOurs = `join pg_class c on c.oid = relid join pg_namespace n on n.oid = c.relnamespace
   where n.nspname not in ('pg_catalog', 'pg_toast', 'information_schema')`;

/** Columns, indexes, foreign keys, parents and dependencies as JSON arrays; `only`: SQL arrays of oids, or of all. */
export function partsSql(only: { relations: string; constraints: string; dependents: string } | null) {
  const among = (column: string, oids: string | undefined) =>
    oids === undefined ? "" : ` and ${column} = any (${oids})`;
  return {
    columns: `(select json_agg(json_build_array(a.attrelid::int8, a.attnum, a.attname, a.atttypid::int8, a.attnotnull, a.attgenerated::text, a.attinhcount > 0)
        order by a.attrelid, a.attnum)
      from (select attrelid as relid, * from pg_attribute where attnum > 0 and not attisdropped${among("attrelid", only?.relations)}) a
      ${ofOurs} and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c'))`,
    indexes: `(select json_agg(json_build_array(i.indexrelid::int8, i.indrelid::int8, i.indisunique, i.indisprimary,
        i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null, i.indkey::text, i.indnkeyatts) order by i.indexrelid)
      from (select indrelid as relid, * from pg_index where true${among("indrelid", only?.relations)}) i ${ofOurs})`,
    foreignKeys: `(select json_agg(json_build_array(c.oid::int8, c.conname, c.conrelid::int8, c.confrelid::int8, c.conkey, c.confkey,
        c.confdeltype::text, c.confupdtype::text) order by c.oid)
      from pg_constraint c where c.contype = 'f'${among("c.oid", only?.constraints)})`,
    inherits: `(select json_agg(json_build_array(inhrelid::int8, inhparent::int8) order by inhrelid, inhseqno)
      from pg_inherits where true${among("inhrelid", only?.relations)})`,
    dependencies: `(select string_agg(concat(d.classid, '/', d.objid, '/', d.objsubid, ' ', d.refclassid, '/', d.refobjid, '/', d.refobjsubid, ' ', d.deptype), E'\\n'
        order by d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.deptype)
      from pg_depend d ${only === null ? "" : `join unnest(${only.dependents}) u (classid, objid) on u.classid = d.classid and u.objid = d.objid`}
      where d.deptype <> 'p' and d.refobjid <> 0)`,
  };
}

// reset_val is the role's or database's own setting, even while a reader has emptied the path for its transaction.
export const searchPathSql = `(select json_agg(n.nspname order by p.position)
  from pg_settings s,
       unnest(string_to_array(s.reset_val, ',')) with ordinality as p (entry, position)
       join pg_namespace n on n.nspname = case when btrim(p.entry, ' "') = '$user' then current_user else btrim(p.entry, ' "') end
 where s.name = 'search_path')`;
