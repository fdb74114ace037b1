import { quoteIdent } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

/** ACCESS METHOD entries, without those of excluded schemas. */
export const accessMethods: KindReader = async (context) => {
  const { session, excludeSchemas, inUse } = context;
  if (!inUse.has("pg_am")) return [];
  const rows = await session.sql<{ oid: number; name: string; type: "i" | "t"; handler: string }[]>`
    select a.oid, amname as name, amtype as type, amhandler::text as handler
    from pg_am a join pg_proc p on p.oid = amhandler join pg_namespace n on n.oid = pronamespace
    where a.oid >= 16384 and nspname <> all (${[...excludeSchemas]}::text[])
      and not exists (select from pg_depend where classid = 'pg_am'::regclass and objid = a.oid and deptype = 'e')
      ${inScope(context, catalog.accessMethod, session.sql`a.oid`)}`;
  return rows.map((row) => {
    const name = quoteIdent(row.name);
    return rawEntry({
      kind: "ACCESS METHOD",
      name: row.name,
      create: `CREATE ACCESS METHOD ${name} TYPE ${row.type === "i" ? "INDEX" : "TABLE"} HANDLER ${row.handler};\n`,
      drop: `DROP ACCESS METHOD ${name};\n`,
      address: address(catalog.accessMethod, row.oid),
    });
  });
};
