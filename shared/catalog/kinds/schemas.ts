import { quoteIdent } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

/** SCHEMA entries. `public` exists in every new database: it is written only when its owner was changed, as a comment. */
export const schemas: KindReader = async (context) => {
  const { session, schemaOids } = context;
  if (!touches(context, catalog.namespace)) return [];
  const rows = await session.sql<{ oid: number; name: string; owner: string; defaultOwner: boolean }[]>`
    select oid, nspname as name, pg_get_userbyid(nspowner) as owner,
      nspowner = 'pg_database_owner'::regrole as "defaultOwner"
    from pg_namespace n
    where oid = any (${[...schemaOids]}::oid[]) and not exists (
      select from pg_depend where classid = 'pg_namespace'::regclass and objid = n.oid and deptype = 'e'
    ) ${inScope(context, catalog.namespace, session.sql`oid`)}
    order by nspname`;
  return rows
    .filter((row) => row.name !== "public" || !row.defaultOwner)
    .map((row) => {
      const name = quoteIdent(row.name);
      const isPublic = row.name === "public";
      return rawEntry({
        kind: "SCHEMA",
        name: row.name,
        owner: row.owner,
        create: isPublic ? "-- *not* creating schema, since initdb creates it\n" : `CREATE SCHEMA ${name};\n`,
        drop: isPublic ? "-- *not* dropping schema, since initdb creates it\n" : `DROP SCHEMA ${name};\n`,
        address: address(catalog.namespace, row.oid),
      });
    });
};
