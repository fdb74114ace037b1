/** A row of a system catalog (alias `r`) counts for the object `objid` of the catalog `owner`. */
export interface AccountRow {
  readonly from: string;
  readonly owner: string;
  readonly objid: string;
  /** What follows FROM: joins and conditions. `rel` has the relations that are no toast tables. */
  readonly rest: string;
}

const user = "where r.oid >= 16384";

/** What has an oid and counts for itself alone. */
const plain = [
  ...["pg_policy", "pg_statistic_ext", "pg_publication", "pg_publication_rel", "pg_publication_namespace"],
  ...["pg_event_trigger", "pg_cast", "pg_collation", "pg_conversion", "pg_operator", "pg_opclass", "pg_opfamily"],
  ...["pg_am", "pg_transform", "pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template"],
  ...["pg_default_acl", "pg_extension"],
].map((from) => own(from));

/** What initdb made counts too, once its privileges were changed. */
const withPrivileges = (
  [
    ["pg_proc", "proacl"],
    ["pg_language", "lanacl"],
    ["pg_foreign_data_wrapper", "fdwacl"],
    ["pg_foreign_server", "srvacl"],
  ] as const
).map(([from, privileges]) => own(from, `where r.oid >= 16384 or r.${privileges} is not null`));

const relations: readonly AccountRow[] = [
  own(
    "pg_class",
    "where r.oid in (select oid from rel where relkind <> 'c') or r.oid < 16384 and r.relacl is not null",
  ),
  // Options of a toast table are written with its table.
  row("pg_class", "pg_class", "rel.oid", "join rel on rel.reltoastrelid = r.oid"),
  row("pg_class", "pg_type", "r.reltype", "where r.oid in (select oid from rel where relkind = 'c')"),
  row(
    "pg_attribute",
    "pg_class",
    "r.attrelid",
    "where r.attnum > 0 and r.attrelid in (select oid from rel where relkind <> 'c')",
  ),
  row(
    "pg_attribute",
    "pg_type",
    "rel.reltype",
    "join rel on rel.oid = r.attrelid and rel.relkind = 'c' where r.attnum > 0",
  ),
  row("pg_attribute", "pg_class", "r.attrelid", "where r.attacl is not null and (r.attnum < 0 or r.attrelid < 16384)"),
  row("pg_attrdef", "pg_class", "r.adrelid"),
  row("pg_index", "pg_class", "r.indexrelid", "where r.indexrelid in (select oid from rel)"),
  row("pg_sequence", "pg_class", "r.seqrelid"),
  row("pg_foreign_table", "pg_class", "r.ftrelid"),
  row("pg_inherits", "pg_class", "r.inhrelid"),
  row("pg_inherits", "pg_class", "r.inhparent"),
];

const partsOfRelations: readonly AccountRow[] = [
  own("pg_constraint"),
  row("pg_constraint", "pg_class", "r.conrelid", "where r.conrelid >= 16384 and r.contype in ('c', 'n')"),
  row("pg_constraint", "pg_type", "r.contypid", "where r.contypid >= 16384"),
  own("pg_trigger", "where not r.tgisinternal or r.tgparentid <> 0"),
  row("pg_trigger", "pg_constraint", "r.tgconstraint", "where r.tgisinternal and r.tgparentid = 0"),
  own("pg_rewrite", "where r.oid >= 16384 and r.rulename <> '_RETURN'"),
  row("pg_rewrite", "pg_class", "r.ev_class", "where r.oid >= 16384 and r.rulename = '_RETURN'"),
];

const types: readonly AccountRow[] = [
  own(
    "pg_type",
    `where (r.oid >= 16384 and (r.typrelid = 0 or r.typrelid in (select oid from rel where relkind = 'c'))
      and not exists (select from pg_catalog.pg_type e where e.oid = r.typelem and e.typarray = r.oid)) or r.typacl is not null`,
  ),
  row("pg_enum", "pg_type", "r.enumtypid"),
  row("pg_range", "pg_type", "r.rngtypid", "where r.rngtypid >= 16384"),
  row("pg_aggregate", "pg_proc", "r.aggfnoid::oid", "where r.aggfnoid >= 16384"),
  row("pg_amop", "pg_opfamily", "r.amopfamily", user),
  row("pg_amproc", "pg_opfamily", "r.amprocfamily", user),
  row("pg_ts_config_map", "pg_ts_config", "r.mapcfg", "where r.mapcfg >= 16384"),
  own("pg_namespace", "where r.nspname !~ '^pg_(toast|temp)'"),
];

const attached: readonly AccountRow[] = [
  {
    from: "pg_depend",
    owner: "r.classid",
    objid: "r.objid",
    // Parts of others have no dependencies that change without them.
    rest: `where r.objid >= 16384 and r.classid not in ('pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_rewrite'::regclass,
        'pg_catalog.pg_amop'::regclass, 'pg_catalog.pg_amproc'::regclass)
      and not (r.deptype = 'i' and r.classid in ('pg_catalog.pg_type'::regclass, 'pg_catalog.pg_trigger'::regclass))
      and (r.classid <> 'pg_catalog.pg_class'::regclass or r.objid in (select oid from rel where relkind <> 'c'))`,
  },
  ...["pg_description", "pg_seclabel"].map((from) => ({
    from,
    owner: "r.classoid",
    objid: "r.objoid",
    rest: "where r.objoid >= 16384 or r.classoid = 'pg_catalog.pg_namespace'::regclass",
  })),
  {
    from: "pg_shseclabel",
    owner: "r.classoid",
    objid: "r.objoid",
    rest: "where r.classoid = 'pg_catalog.pg_subscription'::regclass",
  },
  { from: "pg_init_privs", owner: "r.classoid", objid: "r.objoid", rest: "where r.objoid >= 16384" },
];

/** Every row by which an entry can change, but for what this role may not read in every database. */
export const accountRows: readonly AccountRow[] = [
  ...relations,
  ...partsOfRelations,
  ...types,
  ...plain,
  ...withPrivileges,
  ...attached,
];

function own(from: string, rest = user): AccountRow {
  return row(from, from, "r.oid", rest);
}

function row(from: string, owner: string, objid: string, rest = ""): AccountRow {
  return { from, owner: `'pg_catalog.${owner}'::regclass`, objid, rest };
}
