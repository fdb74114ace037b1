import { qualified, quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface TextSearchRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string | null;
}

interface ParserRow extends TextSearchRow {
  readonly start: string;
  readonly token: string;
  readonly end: string;
  /** `-` for none. */
  readonly headline: string;
  readonly types: string;
}

interface TemplateRow extends TextSearchRow {
  /** `-` for none. */
  readonly init: string;
  readonly lexize: string;
}

interface DictionaryRow extends TextSearchRow {
  readonly templateSchema: string;
  readonly template: string;
  readonly options: string | null;
}

interface ConfigurationRow extends TextSearchRow {
  readonly parserSchema: string;
  readonly parser: string;
  readonly mappings: readonly { readonly token: string; readonly dictionary: string }[];
}

/** TEXT SEARCH PARSER entries. */
export const textSearchParsers: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_ts_parser")) return [];
  const rows = await session.sql<ParserRow[]>`
    select p.oid, nspname as schema, prsname as name, null as owner, prsstart::text as start, prstoken::text as token,
      prsend::text as end, prsheadline::text as headline, prslextype::text as types
    from pg_ts_parser p join pg_namespace n on n.oid = prsnamespace
    where prsnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_ts_parser'::regclass and objid = p.oid and deptype = 'e')
      ${inScope(context, catalog.textSearchParser, session.sql`p.oid`)}`;
  return rows.map((row) => {
    const options = [
      `START = ${row.start}`,
      `GETTOKEN = ${row.token}`,
      `END = ${row.end}`,
      ...(row.headline === "-" ? [] : [`HEADLINE = ${row.headline}`]),
      `LEXTYPES = ${row.types}`,
    ];
    return entry("PARSER", row, options, catalog.textSearchParser);
  });
};

/** TEXT SEARCH TEMPLATE entries. */
export const textSearchTemplates: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_ts_template")) return [];
  const rows = await session.sql<TemplateRow[]>`
    select t.oid, nspname as schema, tmplname as name, null as owner, tmplinit::text as init, tmpllexize::text as lexize
    from pg_ts_template t join pg_namespace n on n.oid = tmplnamespace
    where tmplnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_ts_template'::regclass and objid = t.oid and deptype = 'e')
      ${inScope(context, catalog.textSearchTemplate, session.sql`t.oid`)}`;
  return rows.map((row) => {
    const options = [...(row.init === "-" ? [] : [`INIT = ${row.init}`]), `LEXIZE = ${row.lexize}`];
    return entry("TEMPLATE", row, options, catalog.textSearchTemplate);
  });
};

/** TEXT SEARCH DICTIONARY entries. The server keeps a dictionary's options as SQL. */
export const textSearchDictionaries: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_ts_dict")) return [];
  const rows = await session.sql<DictionaryRow[]>`
    select d.oid, n.nspname as schema, dictname as name, pg_get_userbyid(dictowner) as owner,
      tn.nspname as "templateSchema", tmplname as template, dictinitoption as options
    from pg_ts_dict d join pg_namespace n on n.oid = dictnamespace
      join pg_ts_template t on t.oid = dicttemplate join pg_namespace tn on tn.oid = tmplnamespace
    where dictnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_ts_dict'::regclass and objid = d.oid and deptype = 'e')
      ${inScope(context, catalog.textSearchDictionary, session.sql`d.oid`)}`;
  return rows.map((row) => {
    const options = [
      `TEMPLATE = ${qualified(row.templateSchema, row.template)}`,
      ...(row.options === null ? [] : [row.options]),
    ];
    return entry("DICTIONARY", row, options, catalog.textSearchDictionary);
  });
};

/** TEXT SEARCH CONFIGURATION entries, with their mappings. */
export const textSearchConfigurations: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_ts_config")) return [];
  const rows = await session.sql<ConfigurationRow[]>`
    select c.oid, n.nspname as schema, cfgname as name, pg_get_userbyid(cfgowner) as owner,
      pn.nspname as "parserSchema", prsname as parser, (
        select coalesce(json_agg(json_build_object('token', alias, 'dictionary', mapdict::regdictionary::text)
          order by maptokentype, mapseqno), '[]')
        from pg_ts_config_map m left join ts_token_type(c.cfgparser) t on t.tokid = m.maptokentype
        where m.mapcfg = c.oid
      ) as mappings
    from pg_ts_config c join pg_namespace n on n.oid = cfgnamespace
      join pg_ts_parser p on p.oid = cfgparser join pg_namespace pn on pn.oid = prsnamespace
    where cfgnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_ts_config'::regclass and objid = c.oid and deptype = 'e')
      ${inScope(context, catalog.textSearchConfiguration, session.sql`c.oid`)}`;
  return rows.map((row) => {
    const alter = `\nALTER TEXT SEARCH CONFIGURATION ${qualified(row.schema, row.name)}\n    ADD MAPPING FOR`;
    const mappings = [...Map.groupBy(row.mappings, ({ token }) => token)].map(
      ([token, those]) =>
        `${alter} ${quoteIdent(token)} WITH ${those.map(({ dictionary }) => dictionary).join(", ")};\n`,
    );
    const options = [`PARSER = ${qualified(row.parserSchema, row.parser)}`];
    return entry("CONFIGURATION", row, options, catalog.textSearchConfiguration, mappings.join(""));
  });
};

function entry(kind: string, row: TextSearchRow, options: readonly string[], classid: number, after = ""): RawEntry {
  const name = `TEXT SEARCH ${kind} ${qualified(row.schema, row.name)}`;
  return rawEntry({
    kind: `TEXT SEARCH ${kind}`,
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    create: `CREATE ${name} (\n    ${options.join(",\n    ")} );\n${after}`,
    drop: `DROP ${name};\n`,
    address: address(classid, row.oid),
  });
}
