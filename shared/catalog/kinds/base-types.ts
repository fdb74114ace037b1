import { qualified, quoteLiteral } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";
import { userTypes } from "./types.ts";

interface BaseTypeRow {
  readonly oid: number;
  readonly namespace: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** False: a range, of which only the shell is written here. */
  readonly isBase: boolean;
  readonly length: number;
  readonly functions: Readonly<Record<FunctionOption, string>>;
  readonly collatable: boolean;
  readonly default: string | null;
  readonly element: string | null;
  readonly category: string;
  readonly preferred: boolean;
  readonly delimiter: string;
  readonly alignment: string;
  readonly storage: string;
  readonly byValue: boolean;
}

type FunctionOption = "INPUT" | "OUTPUT" | "RECEIVE" | "SEND" | "TYPMOD_IN" | "TYPMOD_OUT" | "ANALYZE" | "SUBSCRIPT";

const alignments: Readonly<Record<string, string>> = { c: "char", s: "int2", i: "int4", d: "double" };
const storages: Readonly<Record<string, string>> = { p: "plain", e: "external", x: "extended", m: "main" };

/**
 * TYPE entries of base types, and the SHELL TYPE entries of these and of ranges with a canonical function, which
 * their functions need. See shell-types.ts for those that nothing needs.
 */
export const baseTypes: KindReader = async (context) => {
  if (!context.typeKinds.has("b") && !context.typeKinds.has("r")) return [];
  const rows = await context.session.sql<BaseTypeRow[]>`
    select t.oid, n.oid as namespace, n.nspname as schema, t.typname as name, pg_get_userbyid(t.typowner) as owner,
      typtype = 'b' as "isBase", typlen as length, json_build_object('INPUT', typinput::text, 'OUTPUT', typoutput::text,
        'RECEIVE', typreceive::text, 'SEND', typsend::text, 'TYPMOD_IN', typmodin::text, 'TYPMOD_OUT', typmodout::text,
        'ANALYZE', typanalyze::text, 'SUBSCRIPT', typsubscript::text) as functions,
      typcollation <> 0 as collatable, typdefault as default,
      case when typelem <> 0 then format_type(typelem, null) end as element, typcategory as category,
      typispreferred as preferred, typdelim as delimiter, typalign as alignment, typstorage as storage,
      typbyval as "byValue"
    from ${userTypes(context)} and typisdefined and (
      typtype = 'b' and not exists (select from pg_type e where e.oid = t.typelem and e.typarray = t.oid)
      or typtype = 'r' and exists (select from pg_range where rngtypid = t.oid and rngcanonical <> 0))`;
  return rows.flatMap((row) => (row.isBase ? [shellEntry(row), typeEntry(row)] : [shellEntry(row)]));
};

function shellEntry(row: BaseTypeRow): RawEntry {
  return rawEntry({
    kind: "SHELL TYPE",
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    create: `CREATE TYPE ${qualified(row.schema, row.name)};\n`,
    // It comes and goes with its type.
    address: address(catalog.type, row.oid),
    dependsOn: [address(catalog.namespace, row.namespace)],
    usesCatalogDependencies: false,
  });
}

function typeEntry(row: BaseTypeRow): RawEntry {
  const name = qualified(row.schema, row.name);
  const procedure = (option: FunctionOption) =>
    row.functions[option] === "-" ? [] : [`${option} = ${row.functions[option]}`];
  const literal = (option: string, value: string, usual: string) =>
    value === usual ? [] : [`${option} = ${quoteLiteral(value)}`];
  const options = [
    `INTERNALLENGTH = ${row.length === -1 ? "variable" : row.length}`,
    ...(["INPUT", "OUTPUT", "RECEIVE", "SEND", "TYPMOD_IN", "TYPMOD_OUT", "ANALYZE"] as const).flatMap(procedure),
    ...(row.collatable ? ["COLLATABLE = true"] : []),
    ...(row.default === null ? [] : [`DEFAULT = ${quoteLiteral(row.default)}`]),
    ...procedure("SUBSCRIPT"),
    ...(row.element === null ? [] : [`ELEMENT = ${row.element}`]),
    ...literal("CATEGORY", row.category, "U"),
    ...(row.preferred ? ["PREFERRED = true"] : []),
    ...literal("DELIMITER", row.delimiter, ","),
    `ALIGNMENT = ${alignments[row.alignment]}`,
    `STORAGE = ${storages[row.storage]}`,
    ...(row.byValue ? ["PASSEDBYVALUE"] : []),
  ];
  return rawEntry({
    kind: "TYPE",
    schema: row.schema,
    name: row.name,
    owner: row.owner,
    create: `CREATE TYPE ${name} (\n    ${options.join(",\n    ")}\n);\n`,
    // The type and its functions need each other, so that only CASCADE drops either.
    drop: `DROP TYPE ${name} CASCADE;\n`,
    address: address(catalog.type, row.oid),
  });
}
