import { qualified, quoteIdent, quoteLiteral } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";
import { dollarQuoted, settingText } from "./sql-text.ts";

interface FunctionRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly kind: "f" | "p" | "w";
  readonly language: string;
  readonly arguments: string;
  readonly identityArguments: string;
  /** Types of the input arguments, for pg_dump's tag. */
  readonly inputTypes: string | null;
  readonly result: string | null;
  readonly transforms: string[] | null;
  readonly volatility: "i" | "s" | "v";
  readonly strict: boolean;
  readonly securityDefiner: boolean;
  readonly leakproof: boolean;
  readonly cost: string;
  readonly rows: string;
  readonly returnsSet: boolean;
  readonly support: string | null;
  readonly parallel: "s" | "r" | "u";
  readonly config: string[] | null;
  readonly sqlBody: string | null;
  readonly binary: string | null;
  readonly source: string;
  /** Extensions that the function is marked to depend on. */
  readonly extensions: readonly string[];
}

/** FUNCTION and PROCEDURE entries. */
export const functions: KindReader = async (context) => {
  const { session, schemaOids } = context;
  if (!touches(context, catalog.proc)) return [];
  const rows = await session.sql<FunctionRow[]>`
    select p.oid, nspname as schema, proname as name, pg_get_userbyid(proowner) as owner, prokind as kind,
      lanname as language, pg_get_function_arguments(p.oid) as arguments,
      pg_get_function_identity_arguments(p.oid) as "identityArguments",
      (select string_agg(format_type(type, null), ', ' order by n)
        from unnest(proargtypes) with ordinality as a (type, n)) as "inputTypes",
      pg_get_function_result(p.oid) as result,
      array(select format_type(type, null) from unnest(protrftypes) as a (type)) as transforms,
      provolatile as volatility, proisstrict as strict, prosecdef as "securityDefiner", proleakproof as leakproof,
      procost::text as cost, prorows::text as rows, proretset as "returnsSet",
      nullif(prosupport::text, '-') as support, proparallel as parallel, proconfig as config,
      pg_get_function_sqlbody(p.oid) as "sqlBody", probin as binary, prosrc as source,
      array(select extname::text from pg_depend d join pg_extension x on x.oid = refobjid and refclassid = x.tableoid
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'x' order by extname) as extensions
    from pg_proc p
      join pg_namespace s on s.oid = pronamespace
      join pg_language l on l.oid = prolang
    where pronamespace = any (${[...schemaOids]}::oid[]) and prokind <> 'a'
      and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
      and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid
        and refclassid = 'pg_type'::regclass and deptype = 'i')
      ${inScope(context, catalog.proc, session.sql`p.oid`)}`;
  return rows.map(functionEntry);
};

function functionEntry(row: FunctionRow): RawEntry {
  const kind = row.kind === "p" ? "PROCEDURE" : "FUNCTION";
  const name = qualified(row.schema, row.name);
  const returns = row.kind === "p" ? "" : ` RETURNS ${row.result}`;
  const settings = (row.config ?? []).map((setting) => `\n    SET ${settingText(setting)}`).join("");
  const create =
    `CREATE ${kind} ${name}(${row.arguments})${returns}\n    LANGUAGE ${quoteIdent(row.language)}` +
    `${properties(row)}${settings}\n    ${body(row)};\n`;
  const identity = `${kind} ${name}(${row.identityArguments})`;
  const extensions = row.extensions.map(
    (extension) => `ALTER ${identity} DEPENDS ON EXTENSION ${quoteIdent(extension)};\n`,
  );
  return rawEntry({
    kind,
    schema: row.schema,
    name: `${row.name}(${row.inputTypes ?? ""})`,
    owner: row.owner,
    create: create + extensions.join(""),
    drop: `DROP ${identity};\n`,
    address: address(catalog.proc, row.oid),
  });
}

function properties(row: FunctionRow): string {
  const defaultCost = row.language === "c" || row.language === "internal" ? "1" : "100";
  const words = [
    row.transforms !== null && row.transforms.length > 0
      ? `TRANSFORM ${row.transforms.map((type) => `FOR TYPE ${type}`).join(", ")}`
      : "",
    row.kind === "w" ? "WINDOW" : "",
    row.volatility === "i" ? "IMMUTABLE" : row.volatility === "s" ? "STABLE" : "",
    row.strict ? "STRICT" : "",
    row.securityDefiner ? "SECURITY DEFINER" : "",
    row.leakproof ? "LEAKPROOF" : "",
    row.cost === defaultCost ? "" : `COST ${row.cost}`,
    row.returnsSet && row.rows !== "0" && row.rows !== "1000" ? `ROWS ${row.rows}` : "",
    row.support === null ? "" : `SUPPORT ${row.support}`,
    row.parallel === "s" ? "PARALLEL SAFE" : row.parallel === "r" ? "PARALLEL RESTRICTED" : "",
  ];
  return words
    .filter((word) => word !== "")
    .map((word) => ` ${word}`)
    .join("");
}

function body(row: FunctionRow): string {
  if (row.sqlBody !== null) return row.sqlBody;
  if (row.binary === null) return `AS ${dollarQuoted(row.source)}`;
  const symbol = /['\\]/.test(row.source) ? dollarQuoted(row.source) : quoteLiteral(row.source);
  return `AS ${quoteLiteral(row.binary)}, ${symbol}`;
}
