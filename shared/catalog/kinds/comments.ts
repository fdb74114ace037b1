import { qualified, quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { address, attachedEntry } from "./raw-entry.ts";

interface CommentRow {
  readonly classid: number;
  readonly objid: number;
  readonly objsubid: number;
  readonly text: string;
  /** TABLE, COLUMN, FUNCTION, `CONSTRAINT`... as COMMENT ON names it. */
  readonly type: string;
  readonly schema: string | null;
  /** Null for what `args` names alone. */
  readonly name: string | null;
  /** The column; or, for what hangs on a relation or domain, its name. */
  readonly second: string | null;
  readonly args: string | null;
  readonly owner: string | null;
}

const initialPublicComment = "standard public schema";

/** COMMENT entries of every kind that has a reader. */
export const comments: KindReader = async ({ session, schemaOids }) => {
  const oids = [...schemaOids];
  const rows = await session.sql<CommentRow[]>`
    with member as materialized (select classid, objid from pg_depend where deptype = 'e'),
    found as (
      select d.*, case when d.objsubid > 0 then 'COLUMN' else case c.relkind when 'r' then 'TABLE' when 'p' then 'TABLE'
          when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'S' then 'SEQUENCE' when 'f' then 'FOREIGN TABLE'
          else 'INDEX' end end as type,
        c.relnamespace as namespace, c.relname as name, a.attname as second, null as args, c.relowner as owner,
        c.tableoid as parentclass, coalesce(i.indrelid, c.oid) as parentid
      from pg_description d join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
        left join pg_index i on i.indexrelid = c.oid
      union all
      select d.*, case typtype when 'd' then 'DOMAIN' else 'TYPE' end, typnamespace, typname, null, null, typowner,
        t.tableoid, t.oid
      from pg_description d join pg_type t on d.classoid = 'pg_type'::regclass and t.oid = d.objoid
      union all
      select d.*, case prokind when 'p' then 'PROCEDURE' when 'a' then 'AGGREGATE' else 'FUNCTION' end, pronamespace,
        proname, null, pg_get_function_identity_arguments(p.oid), proowner, p.tableoid, p.oid
      from pg_description d join pg_proc p on d.classoid = 'pg_proc'::regclass and p.oid = d.objoid
        and pronamespace = any (${oids}::oid[])
      union all
      select d.*, 'CONSTRAINT', relnamespace, conname, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
        and (contype <> 'c' or conislocal) and (contype <> 'f' or conparentid = 0)
        join pg_class c on c.oid = conrelid
      union all
      select d.*, 'DOMAIN CONSTRAINT', typnamespace, conname, typname, null, typowner, t.tableoid, t.oid
      from pg_description d join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
        join pg_type t on t.oid = contypid
      union all
      select d.*, 'TRIGGER', relnamespace, tgname, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_trigger t on d.classoid = 'pg_trigger'::regclass and t.oid = d.objoid
        and not tgisinternal and tgparentid = 0 join pg_class c on c.oid = tgrelid
      union all
      select d.*, 'POLICY', relnamespace, polname, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_policy p on d.classoid = 'pg_policy'::regclass and p.oid = d.objoid
        join pg_class c on c.oid = polrelid
      union all
      select d.*, 'RULE', relnamespace, rulename, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_rewrite r on d.classoid = 'pg_rewrite'::regclass and r.oid = d.objoid and rulename <> '_RETURN'
        join pg_class c on c.oid = ev_class
      union all
      select d.*, 'STATISTICS', stxnamespace, stxname, null, null, stxowner, s.tableoid, s.oid
      from pg_description d join pg_statistic_ext s on d.classoid = 'pg_statistic_ext'::regclass and s.oid = d.objoid
      union all
      select d.objoid, d.classoid, 0, d.text, 'SCHEMA', 0, nspname, null, null, nspowner, d.classoid, n.oid
      from (
        select 'pg_namespace'::regclass::oid as classoid, n.oid as objoid, description as text
        from pg_namespace n
          left join pg_description d on d.classoid = 'pg_namespace'::regclass and d.objoid = n.oid
        where coalesce(description, '') <> (case nspname when 'public' then ${initialPublicComment} else '' end)
      ) d (classoid, objoid, text) join pg_namespace n on n.oid = d.objoid and n.oid = any (${oids}::oid[])
      union all
      select d.*, 'EXTENSION', 0, extname, null, null, null, e.tableoid, e.oid
      from pg_description d join pg_extension e on d.classoid = 'pg_extension'::regclass and e.oid = d.objoid
        and e.oid >= 16384
      union all
      select d.*, 'EVENT TRIGGER', 0, evtname, null, null, evtowner, e.tableoid, e.oid
      from pg_description d join pg_event_trigger e on d.classoid = 'pg_event_trigger'::regclass and e.oid = d.objoid
      union all
      select d.*, 'PUBLICATION', 0, pubname, null, null, pubowner, p.tableoid, p.oid
      from pg_description d join pg_publication p on d.classoid = 'pg_publication'::regclass and p.oid = d.objoid
      union all
      select d.*, 'CAST', 0, null, null, '(' || format_type(castsource, null) || ' AS ' || format_type(casttarget, null) || ')',
        null, c.tableoid, c.oid
      from pg_description d join pg_cast c on d.classoid = 'pg_cast'::regclass and c.oid = d.objoid and c.oid >= 16384
      union all
      select d.*, 'TRANSFORM', 0, null, null, 'FOR ' || format_type(trftype, null) || ' LANGUAGE ' || quote_ident(lanname),
        null, t.tableoid, t.oid
      from pg_description d join pg_transform t on d.classoid = 'pg_transform'::regclass and t.oid = d.objoid
        join pg_language l on l.oid = trflang
      union all
      select d.*, 'OPERATOR', oprnamespace, null, null, oprname || ' (' || case oprleft when 0 then 'NONE' else format_type(oprleft, null) end
        || ', ' || case oprright when 0 then 'NONE' else format_type(oprright, null) end || ')', oprowner, o.tableoid, o.oid
      from pg_description d join pg_operator o on d.classoid = 'pg_operator'::regclass and o.oid = d.objoid
        and oprnamespace = any (${oids}::oid[])
      union all
      select d.*, 'OPERATOR CLASS', opcnamespace, null, null, quote_ident(opcname) || ' USING ' || quote_ident(amname), opcowner,
        o.tableoid, o.oid
      from pg_description d join pg_opclass o on d.classoid = 'pg_opclass'::regclass and o.oid = d.objoid
        join pg_am a on a.oid = opcmethod
      union all
      select d.*, 'OPERATOR FAMILY', opfnamespace, null, null, quote_ident(opfname) || ' USING ' || quote_ident(amname), opfowner,
        o.tableoid, o.oid
      from pg_description d join pg_opfamily o on d.classoid = 'pg_opfamily'::regclass and o.oid = d.objoid
        join pg_am a on a.oid = opfmethod
      union all
      select d.*, k.type, k.namespace, k.name, null, null, k.owner, k.classid, k.oid
      from pg_description d join (
        select tableoid as classid, oid, 'COLLATION' as type, collnamespace as namespace, collname as name, collowner as owner
        from pg_collation where oid >= 16384
        union all select tableoid, oid, 'CONVERSION', connamespace, conname, conowner from pg_conversion where oid >= 16384
        union all select tableoid, oid, 'TEXT SEARCH PARSER', prsnamespace, prsname, null from pg_ts_parser where oid >= 16384
        union all select tableoid, oid, 'TEXT SEARCH TEMPLATE', tmplnamespace, tmplname, null from pg_ts_template
          where oid >= 16384
        union all select tableoid, oid, 'TEXT SEARCH DICTIONARY', dictnamespace, dictname, dictowner from pg_ts_dict
          where oid >= 16384
        union all select tableoid, oid, 'TEXT SEARCH CONFIGURATION', cfgnamespace, cfgname, cfgowner from pg_ts_config
          where oid >= 16384
        union all select tableoid, oid, 'LANGUAGE', 0, lanname, lanowner from pg_language where lanispl and oid >= 16384
        union all select tableoid, oid, 'ACCESS METHOD', 0, amname, null from pg_am where oid >= 16384
      ) k on d.classoid = k.classid and d.objoid = k.oid
    )
    select classoid as classid, objoid as objid, objsubid, coalesce(description, '') as text, type, nspname as schema,
      name, second, args, pg_get_userbyid(owner) as owner
    from found left join pg_namespace n on n.oid = namespace
    where (namespace = 0 or namespace = any (${oids}::oid[]))
      and (classoid, objoid) not in (select classid, objid from member)
      and (parentclass, parentid) not in (select classid, objid from member)`;
  return rows.map(commentEntry);
};

function commentEntry(row: CommentRow): RawEntry {
  const [tag, target] = names(row);
  return attachedEntry(
    {
      kind: "COMMENT",
      schema: row.schema,
      name: tag,
      owner: row.owner ?? "",
      create: `COMMENT ON ${target} IS ${quoteLiteral(row.text)};\n`,
      address: address(row.classid, row.objid, row.objsubid),
    },
    address(row.classid, row.objid),
  );
}

/** The entry's tag, without the schema, and what COMMENT ON takes. */
function names({ type, schema, name, second, args }: CommentRow): [string, string] {
  if (name === null) return [`${type} ${args}`, `${type} ${schema === null ? "" : `${quoteIdent(schema)}.`}${args}`];
  const local = quoteIdent(name);
  if (type === "COLUMN")
    return [`COLUMN ${local}.${quoteIdent(second!)}`, `COLUMN ${qualified(schema, name)}.${quoteIdent(second!)}`];
  if (type === "DOMAIN CONSTRAINT")
    return [
      `CONSTRAINT ${local} ON DOMAIN ${quoteIdent(second!)}`,
      `CONSTRAINT ${local} ON DOMAIN ${qualified(schema, second!)}`,
    ];
  if (second !== null)
    return [`${type} ${local} ON ${quoteIdent(second)}`, `${type} ${local} ON ${qualified(schema, second)}`];
  const signature = args === null ? "" : `(${args === "" && type === "AGGREGATE" ? "*" : args})`;
  return [`${type} ${local}${signature}`, `${type} ${qualified(schema, name)}${signature}`];
}
