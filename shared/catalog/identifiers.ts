/**
 * Keywords that an identifier may not be without quotes (all categories but unreserved), PostgreSQL 15 to 18:
 * `select word from pg_get_keywords() where catcode <> 'U'`.
 */
const keywords = new Set(
  (
    "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case " +
    "cast char character check coalesce collate collation column concurrently constraint create cross " +
    "current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal " +
    "default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full " +
    "grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull " +
    "join lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not " +
    "notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary " +
    "real references returning right row select session_user setof similar smallint some substring symmetric " +
    "system_user table tablesample then time timestamp to trailing treat trim true union unique user using values " +
    "varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest " +
    "xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable"
  ).split(" "),
);

/** An identifier as pg_dump writes it: in double quotes only where it must be. */
export function quoteIdent(name: string): string {
  if (/^[a-z_][a-z0-9_]*$/.test(name) && !keywords.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal as pg_dump writes it under `standard_conforming_strings = on`: backslashes stand for themselves. */
export function quoteLiteral(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** `schema.name`, or `name` alone for what lives in no schema. */
export function qualified(schema: string | null, name: string): string {
  return schema === null ? quoteIdent(name) : `${quoteIdent(schema)}.${quoteIdent(name)}`;
}
