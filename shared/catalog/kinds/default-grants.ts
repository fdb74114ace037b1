import { quoteIdent } from "../identifiers.ts";
import type { KindReader } from "../kind.ts";
import { grantCommands } from "./acl-text.ts";
import { inScope } from "./in-scope.ts";
import { address, catalog, rawEntry } from "./raw-entry.ts";

interface DefaultGrantRow {
  readonly oid: number;
  readonly schemaOid: number;
  readonly schema: string | null;
  readonly role: string;
  readonly type: string;
  readonly present: string[];
  readonly base: string[];
}

/** DEFAULT ACL entries. */
export const defaultGrants: KindReader = async (context) => {
  const { session, schemaOids, serverVersion, inUse } = context;
  if (!inUse.has("pg_default_acl")) return [];
  const rows = await session.sql<DefaultGrantRow[]>`
    select d.oid, defaclnamespace as "schemaOid", nspname as schema, pg_get_userbyid(defaclrole) as role,
      case defaclobjtype when 'r' then 'TABLES' when 'S' then 'SEQUENCES' when 'f' then 'FUNCTIONS' when 'T' then 'TYPES'
        when 'n' then 'SCHEMAS' else 'LARGE OBJECTS' end as type,
      defaclacl::text[] as present,
      case when defaclnamespace = 0
        then acldefault((case defaclobjtype when 'S' then 's' else defaclobjtype end)::"char", defaclrole)
        else '{}' end::text[] as base
    from pg_default_acl d left join pg_namespace n on n.oid = defaclnamespace
    where (defaclnamespace = 0 or defaclnamespace = any (${[...schemaOids]}::oid[]))
      ${inScope(context, catalog.defaultAcl, session.sql`d.oid`)}`;
  return rows.flatMap((row) => {
    const inSchema = row.schema === null ? "" : `IN SCHEMA ${quoteIdent(row.schema)} `;
    const prefix = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdent(row.role)} ${inSchema}`;
    const target = { type: row.type, object: "", column: null, owner: row.role, prefix };
    const create = grantCommands(target, row.present, row.base, serverVersion);
    if (create === "") return [];
    return [
      rawEntry({
        kind: "DEFAULT ACL",
        schema: row.schema,
        name: `DEFAULT PRIVILEGES FOR ${row.type}`,
        owner: row.role,
        section: "post-data",
        create,
        address: address(catalog.defaultAcl, row.oid),
        dependsOn: row.schemaOid === 0 ? [] : [address(catalog.namespace, row.schemaOid)],
      }),
    ];
  });
};
