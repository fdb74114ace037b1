import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { inScope, touches } from "./in-scope.ts";
import { addressOf, catalogOid, noAddress, type Relation, readRelations, relationName } from "./relations.ts";

interface PolicyRow {
  readonly oid: number;
  readonly name: string;
  readonly relation: number;
  readonly command: string | null;
  readonly permissive: boolean;
  /** Quoted names, or null for PUBLIC. */
  readonly roles: string | null;
  readonly using: string | null;
  readonly check: string | null;
}

/**
 * POLICY entries; those on tables of extensions come with the extension, as far as one can tell. Roles are written by name: pg_dump takes them in the order in which pg_authid happens to store
 * them, which is not the same after ALTER ROLE or in another cluster.
 */
export const policies: KindReader = async (context) => {
  if (!context.inUse.has("pg_policy") || !touches(context, catalogOid.policy)) return [];
  const rows = await context.session.sql<PolicyRow[]>`
    select p.oid::int8::float8 as oid, p.polname::text as name, p.polrelid::int8::float8 as relation,
      case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE'
        end as command,
      p.polpermissive as permissive,
      case when p.polroles <> '{0}' then (
        select string_agg(quote_ident(r.rolname), ', ' order by r.rolname)
        from pg_catalog.pg_roles r where r.oid = any(p.polroles)) end as roles,
      pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using,
      pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check
    from pg_catalog.pg_policy p
    join pg_catalog.pg_class c on c.oid = p.polrelid
    where c.relnamespace = any(${context.schemaOids as number[]}::oid[])
      ${inScope(context, catalogOid.policy, context.session.sql`p.oid`)}
    order by p.polrelid, p.polname`;
  const relations = await readRelations(context);
  return rows.flatMap((row) => {
    const table = relations.get(row.relation);
    return table === undefined || table.isExtensionMember ? [] : [policyEntry(table, row)];
  });
};

/** ROW SECURITY entries of the tables where it is enabled. */
export const rowSecurity: KindReader = async (context) =>
  [...(await readRelations(context)).values()]
    .filter((relation) => relation.rowSecurity && !relation.isExtensionMember)
    .map(rowSecurityEntry);

function policyEntry(table: Relation, row: PolicyRow): RawEntry {
  const on = `${quoteIdent(row.name)} ON ${relationName(table)}`;
  let create = `CREATE POLICY ${on}`;
  if (!row.permissive) create += " AS RESTRICTIVE";
  if (row.command !== null) create += ` FOR ${row.command}`;
  if (row.roles !== null) create += ` TO ${row.roles}`;
  if (row.using !== null) create += ` USING (${row.using})`;
  if (row.check !== null) create += ` WITH CHECK (${row.check})`;
  return {
    kind: "POLICY",
    schema: table.schema,
    name: `${table.name} ${row.name}`,
    owner: table.owner,
    section: "post-data",
    create: `${create};\n`,
    drop: `DROP POLICY ${on};\n`,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.policy, row.oid),
    dependsOn: [addressOf(catalogOid.class, table.oid)],
  };
}

function rowSecurityEntry(table: Relation): RawEntry {
  return {
    kind: "ROW SECURITY",
    schema: table.schema,
    name: table.name,
    owner: table.owner,
    section: "post-data",
    create: `ALTER TABLE ${relationName(table)} ENABLE ROW LEVEL SECURITY;`,
    drop: null,
    tablespace: null,
    tableam: null,
    copy: null,
    address: noAddress,
    dependsOn: [addressOf(catalogOid.class, table.oid)],
    usesCatalogDependencies: false,
  };
}
