import type { KindReader } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";
import { functionSignature } from "./signatures.ts";

interface CastRow {
  readonly oid: number;
  readonly source: string;
  readonly target: string;
  readonly method: "b" | "f" | "i";
  readonly context: "e" | "a" | "i";
  readonly function: string | null;
}

const contextWords = { e: "", a: " AS ASSIGNMENT", i: " AS IMPLICIT" };

/** CAST entries, without those that a range type brings along to its multirange, and those of excluded and temporary schemas. */
export const casts: KindReader = async (context) => {
  const { session, excludeSchemas, inUse } = context;
  if (!inUse.has("pg_cast")) return [];
  const rows = await session.sql<CastRow[]>`
    select c.oid, format_type(castsource, null) as source, format_type(casttarget, null) as target,
      castmethod as method, castcontext as context, ${functionSignature(session, session.sql`castfunc`)} as function
    from pg_cast c
    where c.oid >= 16384 ${inScope(context, catalog.cast, session.sql`c.oid`)}
      and not exists (select from pg_range where rngtypid = castsource and rngmultitypid = casttarget)
      and not exists (select from pg_depend where classid = 'pg_cast'::regclass and objid = c.oid and deptype = 'e')
      and not exists (
        select from pg_namespace n
        where (nspname = any (${[...excludeSchemas]}::text[]) or nspname ~ '^pg_temp_') and n.oid in (
          select typnamespace from pg_type where oid in (castsource, casttarget)
          union all select pronamespace from pg_proc where oid = castfunc))`;
  return rows.map((row) => {
    const name = `CAST (${row.source} AS ${row.target})`;
    const how =
      row.method === "b" ? "WITHOUT FUNCTION" : row.method === "i" ? "WITH INOUT" : `WITH FUNCTION ${row.function}`;
    return rawEntry({
      kind: "CAST",
      name,
      create: `CREATE ${name} ${how}${contextWords[row.context]};\n`,
      drop: `DROP ${name};\n`,
      address: address(catalog.cast, row.oid),
    });
  });
};
