import type { KindContext } from "../kind.ts";
import { catalog } from "./raw-entry.ts";
import { catalogOid } from "./relations.ts";
import type { Fragment } from "./signatures.ts";
import { ofDatabase, readableSubscriptions } from "./subscriptions.ts";

type Source = (context: KindContext) => Fragment;

/**
 * Where comments on the objects of a system catalog come from, by the catalog's oid: columns as in comments.ts. What is
 * named in a way of its own has that in `args`, and no name.
 */
export const commentSources: ReadonlyMap<number, Source> = new Map<number, Source>([
  [
    catalogOid.class,
    ({ session }) => session.sql`
      select d.*, case when d.objsubid > 0 then 'COLUMN' else case c.relkind when 'r' then 'TABLE' when 'p' then 'TABLE'
          when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' when 'S' then 'SEQUENCE' when 'f' then 'FOREIGN TABLE'
          else 'INDEX' end end, c.relnamespace, c.relname, a.attname, null, c.relowner, c.tableoid,
        coalesce(i.indrelid, c.oid)
      from pg_description d join pg_class c on d.classoid = 'pg_class'::regclass and c.oid = d.objoid
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
        left join pg_index i on i.indexrelid = c.oid`,
  ],
  [
    catalogOid.type,
    ({ session }) => session.sql`
      select d.*, case typtype when 'd' then 'DOMAIN' else 'TYPE' end, typnamespace, typname, null, null, typowner,
        t.tableoid, t.oid
      from pg_description d join pg_type t on d.classoid = 'pg_type'::regclass and t.oid = d.objoid`,
  ],
  [
    catalogOid.function,
    ({ session, schemaOids }) => session.sql`
      select d.*, case prokind when 'p' then 'PROCEDURE' when 'a' then 'AGGREGATE' else 'FUNCTION' end, pronamespace,
        proname, null, pg_get_function_identity_arguments(p.oid), proowner, p.tableoid, p.oid
      from pg_description d join pg_proc p on d.classoid = 'pg_proc'::regclass and p.oid = d.objoid
        and pronamespace = any (${[...schemaOids]}::oid[])`,
  ],
  [
    catalogOid.constraint,
    ({ session }) => session.sql`
      select d.*, 'CONSTRAINT', relnamespace, conname, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
        and (contype <> 'c' or conislocal) and (contype <> 'f' or conparentid = 0)
        join pg_class c on c.oid = conrelid
      union all
      select d.*, 'DOMAIN CONSTRAINT', typnamespace, conname, typname, null, typowner, t.tableoid, t.oid
      from pg_description d join pg_constraint k on d.classoid = 'pg_constraint'::regclass and k.oid = d.objoid
        join pg_type t on t.oid = contypid`,
  ],
  [
    catalogOid.trigger,
    ({ session }) => session.sql`
      select d.*, 'TRIGGER', relnamespace, tgname, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_trigger t on d.classoid = 'pg_trigger'::regclass and t.oid = d.objoid
        and not tgisinternal and tgparentid = 0 join pg_class c on c.oid = tgrelid`,
  ],
  [
    catalogOid.policy,
    ({ session }) => session.sql`
      select d.*, 'POLICY', relnamespace, polname, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_policy p on d.classoid = 'pg_policy'::regclass and p.oid = d.objoid
        join pg_class c on c.oid = polrelid`,
  ],
  [
    catalogOid.rewrite,
    ({ session }) => session.sql`
      select d.*, 'RULE', relnamespace, rulename, relname, null, relowner, c.tableoid, c.oid
      from pg_description d join pg_rewrite r on d.classoid = 'pg_rewrite'::regclass and r.oid = d.objoid
        and rulename <> '_RETURN' join pg_class c on c.oid = ev_class`,
  ],
  [
    catalog.cast,
    ({ session }) => session.sql`
      select d.*, 'CAST', 0, null, null,
        '(' || format_type(castsource, null) || ' AS ' || format_type(casttarget, null) || ')', null, c.tableoid, c.oid
      from pg_description d join pg_cast c on d.classoid = 'pg_cast'::regclass and c.oid = d.objoid`,
  ],
  [
    catalog.transform,
    ({ session }) => session.sql`
      select d.*, 'TRANSFORM', 0, null, null, 'FOR ' || format_type(trftype, null) || ' LANGUAGE ' || quote_ident(lanname),
        null, t.tableoid, t.oid
      from pg_description d join pg_transform t on d.classoid = 'pg_transform'::regclass and t.oid = d.objoid
        join pg_language l on l.oid = trflang`,
  ],
  [
    catalog.operator,
    ({ session }) => session.sql`
      select d.*, 'OPERATOR', oprnamespace, null, null, concat(oprname, ' (',
          case oprleft when 0 then 'NONE' else format_type(oprleft, null) end, ', ',
          case oprright when 0 then 'NONE' else format_type(oprright, null) end, ')'), oprowner, o.tableoid, o.oid
      from pg_description d join pg_operator o on d.classoid = 'pg_operator'::regclass and o.oid = d.objoid`,
  ],
  [
    catalog.operatorClass,
    ({ session }) => session.sql`
      select d.*, 'OPERATOR CLASS', opcnamespace, null, null, quote_ident(opcname) || ' USING ' || quote_ident(amname),
        opcowner, o.tableoid, o.oid
      from pg_description d join pg_opclass o on d.classoid = 'pg_opclass'::regclass and o.oid = d.objoid
        join pg_am a on a.oid = opcmethod`,
  ],
  [
    catalog.operatorFamily,
    ({ session }) => session.sql`
      select d.*, 'OPERATOR FAMILY', opfnamespace, null, null, quote_ident(opfname) || ' USING ' || quote_ident(amname),
        opfowner, o.tableoid, o.oid
      from pg_description d join pg_opfamily o on d.classoid = 'pg_opfamily'::regclass and o.oid = d.objoid
        join pg_am a on a.oid = opfmethod`,
  ],
  [catalog.extension, named("EXTENSION", "pg_extension", { name: "extname" })],
  [catalogOid.statistics, named("STATISTICS", "pg_statistic_ext", { prefix: "stx" })],
  [catalog.eventTrigger, named("EVENT TRIGGER", "pg_event_trigger", { name: "evtname", owner: "evtowner" })],
  [catalog.publication, named("PUBLICATION", "pg_publication", { name: "pubname", owner: "pubowner" })],
  [catalog.collation, named("COLLATION", "pg_collation", { prefix: "coll" })],
  [catalog.conversion, named("CONVERSION", "pg_conversion", { prefix: "con" })],
  [
    catalog.textSearchParser,
    named("TEXT SEARCH PARSER", "pg_ts_parser", { name: "prsname", namespace: "prsnamespace" }),
  ],
  [
    catalog.textSearchTemplate,
    named("TEXT SEARCH TEMPLATE", "pg_ts_template", { name: "tmplname", namespace: "tmplnamespace" }),
  ],
  [catalog.textSearchDictionary, named("TEXT SEARCH DICTIONARY", "pg_ts_dict", { prefix: "dict" })],
  [catalog.textSearchConfiguration, named("TEXT SEARCH CONFIGURATION", "pg_ts_config", { prefix: "cfg" })],
  [catalog.language, named("LANGUAGE", "pg_language", { name: "lanname", owner: "lanowner" })],
  [catalog.accessMethod, named("ACCESS METHOD", "pg_am", { name: "amname" })],
  [
    catalog.foreignDataWrapper,
    named("FOREIGN DATA WRAPPER", "pg_foreign_data_wrapper", { name: "fdwname", owner: "fdwowner" }),
  ],
  [catalog.foreignServer, named("SERVER", "pg_foreign_server", { name: "srvname", owner: "srvowner" })],
  [
    catalog.subscription,
    (context) => context.session.sql`
      select d.*, 'SUBSCRIPTION', 0, subname, null, null, subowner, 'pg_subscription'::regclass, s.oid
      from pg_description d join pg_subscription s on d.classoid = 'pg_subscription'::regclass and s.oid = d.objoid
      where ${ofDatabase(context)} and ${readableSubscriptions(context)}`,
  ],
]);

/** Objects that their name tells, and their schema where they have one. `prefix` stands for all three columns. */
function named(
  type: string,
  relation: string,
  columns: { prefix?: string; name?: string; namespace?: string; owner?: string },
): Source {
  const { prefix } = columns;
  const name = prefix === undefined ? columns.name! : `${prefix}name`;
  const namespace = prefix === undefined ? columns.namespace : `${prefix}namespace`;
  const owner = prefix === undefined ? columns.owner : `${prefix}owner`;
  return ({ session: { sql } }) => sql`
    select d.*, ${type}, ${namespace === undefined ? sql`0` : sql(namespace)}, o.${sql(name)}, null, null,
      ${owner === undefined ? sql`null` : sql(owner)}, o.tableoid, o.oid
    from pg_description d join ${sql(relation)} o on d.classoid = ${relation}::regclass and o.oid = d.objoid`;
}
