import { quoteIdent } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

/** EXTENSION entries, those of a new database (plpgsql) left out. Owner is null: pg_restore 16 refuses one. */
export const extensions: KindReader = async (context) => {
  const { session } = context;
  if (!touches(context, catalog.extension)) return [];
  const rows = await session.sql<{ oid: number; name: string; schema: string }[]>`
    select e.oid, extname as name, nspname as schema
    from pg_extension e join pg_namespace n on n.oid = extnamespace
    where e.oid >= 16384 ${inScope(context, catalog.extension, session.sql`e.oid`)}
    order by extname`;
  return rows.map((row) =>
    rawEntry({
      kind: "EXTENSION",
      name: row.name,
      create: `CREATE EXTENSION IF NOT EXISTS ${quoteIdent(row.name)} WITH SCHEMA ${quoteIdent(row.schema)};\n`,
      drop: `DROP EXTENSION ${quoteIdent(row.name)};\n`,
      address: address(catalog.extension, row.oid),
    }),
  );
};
