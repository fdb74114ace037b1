import { qualified, quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindContext, KindReader, RawEntry } from "../kind.ts";
import { address, attachedEntry } from "./raw-entry.ts";
import { ofDatabase } from "./subscriptions.ts";

interface LabelRow {
  readonly classid: number;
  readonly objid: number;
  readonly provider: string;
  readonly label: string;
  /** As SECURITY LABEL ON names it. */
  readonly type: string;
  readonly schema: string | null;
  readonly name: string;
  readonly column: string | null;
  readonly args: string | null;
  readonly owner: string | null;
}

/**
 * SECURITY LABEL entries; a table's has the labels of its columns in it. Also those that pg_dump forgets: on
 * subscriptions and on columns of composite types. Labels on members of extensions come with the extension.
 */
export const securityLabels: KindReader = async (context) => {
  if (!context.hasLabels) return [];
  const rows = await readLabels(context);
  const byObject = Map.groupBy(rows, ({ classid, objid }) => `${classid} ${objid}`);
  return [...byObject.values()].map(labelEntry);
};

function labelEntry(labels: readonly LabelRow[]): RawEntry {
  const [first] = labels as [LabelRow];
  const object = address(first.classid, first.objid);
  const name = first.type === "LARGE OBJECT" ? first.name : `${quoteIdent(first.name)}${first.args ?? ""}`;
  return attachedEntry(
    {
      kind: "SECURITY LABEL",
      schema: first.schema,
      name: `${first.type} ${name}`,
      owner: first.owner ?? "",
      create: labels.map(labelStatement).join(""),
      address: object,
    },
    object,
  );
}

function labelStatement({ provider, label, type, schema, name, column, args }: LabelRow): string {
  // A number, not a name.
  const object = type === "LARGE OBJECT" ? name : `${qualified(schema, name)}${args ?? ""}`;
  const target = column === null ? `${type} ${object}` : `COLUMN ${object}.${quoteIdent(column)}`;
  return `SECURITY LABEL FOR ${quoteIdent(provider)} ON ${target} IS ${quoteLiteral(label)};\n`;
}

async function readLabels({ session, schemaOids, largeObjects, reach }: KindContext): Promise<LabelRow[]> {
  const objects = reach === null ? null : [...reach.answer].map(({ objid }) => objid);
  return await session.sql<LabelRow[]>`
    with pg_seclabel (objoid, classoid, objsubid, provider, label) as materialized (
      select objoid, classoid, objsubid, provider, label from pg_catalog.pg_seclabel
      where ${objects === null} or objoid = any (${objects ?? []}::oid[])
      -- Subscriptions are shared by the databases of a server, and so are their labels.
      union all select objoid, classoid, 0, provider, label from pg_shseclabel where classoid = 'pg_subscription'::regclass
    ), labelled as (
      select l.*, case relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'S' then 'SEQUENCE'
          when 'f' then 'FOREIGN TABLE' when 'c' then 'TYPE' else 'TABLE' end as type,
        relnamespace as namespace, relname::text as name, attname as column, null as args, relowner as owner,
        -- A composite type is found by its row in pg_type.
        case relkind when 'c' then 'pg_type'::regclass else 'pg_class'::regclass end as objectclass,
        case relkind when 'c' then reltype else c.oid end as object
      from pg_seclabel l join pg_class c on l.classoid = 'pg_class'::regclass and c.oid = l.objoid
        left join pg_attribute a on attrelid = c.oid and attnum = l.objsubid and l.objsubid <> 0
      union all
      select l.*, case typtype when 'd' then 'DOMAIN' else 'TYPE' end, typnamespace, typname, null, null, typowner,
        l.classoid, l.objoid
      from pg_seclabel l join pg_type t on l.classoid = 'pg_type'::regclass and t.oid = l.objoid
      union all
      select l.*, case prokind when 'p' then 'PROCEDURE' when 'a' then 'AGGREGATE' else 'FUNCTION' end, pronamespace,
        proname, null, format('(%s)', case when prokind = 'a' and pg_get_function_identity_arguments(p.oid) = '' then '*'
          else pg_get_function_identity_arguments(p.oid) end), proowner, l.classoid, l.objoid
      from pg_seclabel l join pg_proc p on l.classoid = 'pg_proc'::regclass and p.oid = l.objoid
      union all
      select l.*, k.type, null, k.name, null, null, k.owner, l.classoid, l.objoid
      from pg_seclabel l join (
        select tableoid as classid, oid, 'LANGUAGE' as type, lanname::text as name, lanowner as owner from pg_language
        union all select tableoid, oid, 'EXTENSION', extname, null from pg_extension
        union all select tableoid, oid, 'EVENT TRIGGER', evtname, evtowner from pg_event_trigger
        union all select tableoid, oid, 'PUBLICATION', pubname, pubowner from pg_publication
        union all select 'pg_subscription'::regclass, oid, 'SUBSCRIPTION', subname, subowner from pg_subscription s
          where ${ofDatabase({ session })}
        union all select tableoid, oid, 'SCHEMA', nspname, nspowner from pg_namespace where oid = any (${[...schemaOids]}::oid[])
        union all select 'pg_largeobject'::regclass, oid, 'LARGE OBJECT', oid::text, lomowner from pg_largeobject_metadata
          where ${largeObjects}
      ) k on k.classid = l.classoid and k.oid = l.objoid
    )
    select objectclass::oid as classid, object as objid, provider, label, type, nspname as schema, name, "column", args,
      pg_get_userbyid(owner) as owner
    from labelled left join pg_namespace n on n.oid = namespace
    where (namespace is null or namespace = any (${[...schemaOids]}::oid[]))
      and not exists (select from pg_depend d
        where d.classid = labelled.classoid and d.objid = labelled.objoid and d.deptype = 'e')
    order by classoid, objoid, objsubid, provider`;
}
