import { qualified, quoteLiteral } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface ConversionRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly from: string;
  readonly to: string;
  readonly function: string;
  readonly isDefault: boolean;
}

/** CONVERSION entries. */
export const conversions: KindReader = async (context) => {
  const { session, schemaOids, inUse } = context;
  if (!inUse.has("pg_conversion")) return [];
  const rows = await session.sql<ConversionRow[]>`
    select c.oid, nspname as schema, conname as name, pg_get_userbyid(conowner) as owner,
      pg_encoding_to_char(conforencoding) as from, pg_encoding_to_char(contoencoding) as to,
      conproc::text as function, condefault as "isDefault"
    from pg_conversion c join pg_namespace n on n.oid = connamespace
    where connamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_conversion'::regclass and objid = c.oid and deptype = 'e')
      ${inScope(context, catalog.conversion, session.sql`c.oid`)}`;
  return rows.map((row) => {
    const name = qualified(row.schema, row.name);
    const encodings = `${quoteLiteral(row.from)} TO ${quoteLiteral(row.to)}`;
    return rawEntry({
      kind: "CONVERSION",
      schema: row.schema,
      name: row.name,
      owner: row.owner,
      create: `CREATE ${row.isDefault ? "DEFAULT " : ""}CONVERSION ${name} FOR ${encodings} FROM ${row.function};\n`,
      drop: `DROP CONVERSION ${name};\n`,
      address: address(catalog.conversion, row.oid),
    });
  });
};
