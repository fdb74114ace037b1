import { qualified, quoteLiteral } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface CollationRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly provider: "b" | "c" | "i";
  readonly deterministic: boolean;
  readonly collate: string | null;
  readonly ctype: string | null;
  readonly locale: string | null;
  readonly rules: string | null;
}

const providers = { b: "builtin", c: "libc", i: "icu" };

/** COLLATION entries. The version is left out, as pg_dump does: a restored collation has that of its new server. */
export const collations: KindReader = async (context) => {
  const { session, schemaOids, serverVersion, inUse } = context;
  if (!inUse.has("pg_collation")) return [];
  const locale = serverVersion >= 170000 ? session.sql`colllocale` : session.sql`colliculocale`;
  const rules = serverVersion >= 160000 ? session.sql`collicurules` : session.sql`null`;
  const rows = await session.sql<CollationRow[]>`
    select c.oid, nspname as schema, collname as name, pg_get_userbyid(collowner) as owner, collprovider as provider,
      collisdeterministic as deterministic, collcollate as collate, collctype as ctype, ${locale} as locale,
      ${rules} as rules
    from pg_collation c join pg_namespace n on n.oid = collnamespace
    where collnamespace = any (${[...schemaOids]}::oid[])
      and not exists (select from pg_depend where classid = 'pg_collation'::regclass and objid = c.oid and deptype = 'e')
      ${inScope(context, catalog.collation, session.sql`c.oid`)}`;
  return rows.map((row) => {
    const name = qualified(row.schema, row.name);
    const options = [
      `provider = ${providers[row.provider]}`,
      ...(row.deterministic ? [] : ["deterministic = false"]),
      ...localeOptions(row),
    ];
    return rawEntry({
      kind: "COLLATION",
      schema: row.schema,
      name: row.name,
      owner: row.owner,
      create: `CREATE COLLATION ${name} (${options.join(", ")});\n`,
      drop: `DROP COLLATION ${name};\n`,
      address: address(catalog.collation, row.oid),
    });
  });
};

function localeOptions({ locale, collate, ctype, rules }: CollationRow): string[] {
  const option = (name: string, value: string | null) => (value === null ? [] : [`${name} = ${quoteLiteral(value)}`]);
  if (locale !== null) return [...option("locale", locale), ...option("rules", rules)];
  if (collate === ctype) return option("locale", collate);
  return [...option("lc_collate", collate), ...option("lc_ctype", ctype)];
}
