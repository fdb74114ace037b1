import { catalogDigest } from "../../catalog/entry.ts";
import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";

/** `all`: every schema. `supabase`: without the schemas that a Supabase project manages itself. */
export type DumpProfile = "all" | "supabase";

export const dumpProfiles: readonly DumpProfile[] = ["all", "supabase"];

/** Schemas that the platform makes and changes by its own services (docs/supabase.md); those with a leading underscore too. */
const managed = [
  ...["auth", "storage", "realtime", "vault", "extensions", "graphql", "graphql_public", "pgbouncer", "pgsodium"],
  ...["pgsodium_masks", "net", "supabase_functions", "supabase_migrations"],
];

/** The roles of the platform's services: what they own in a schema of users' is theirs still. */
const serviceRoles = /^(supabase_\w+|pgbouncer|dashboard_user)$/;

/** `supabase` when the platform owns the schema auth. */
export async function profileOf(session: Session): Promise<DumpProfile> {
  const rows = await session.sql`
    select from pg_catalog.pg_namespace where nspname = 'auth'
      and pg_catalog.pg_get_userbyid(nspowner) in ('supabase_admin', 'supabase_auth_admin')`;
  return rows.length > 0 ? "supabase" : "all";
}

/** The schemas of this database that the platform manages. */
export async function managedSchemas(session: Session): Promise<string[]> {
  const rows = await session.sql<{ name: string }[]>`
    select nspname as name from pg_catalog.pg_namespace where nspname = any (${managed}::text[]) or nspname ~ '^_'`;
  return rows.map(({ name }) => name);
}

/** Kinds that users put on the platform's tables: only what reaches into their own schemas is theirs, but for policies. */
const hung = new Set(["TRIGGER", "FK CONSTRAINT", "RULE"]);

/**
 * The catalog without what the platform makes again by itself in every project. What users hang on its tables stays:
 * policies, and triggers, rules and foreign keys that need something of theirs.
 */
export function withoutManaged(catalog: Catalog, schemas: readonly string[]): Catalog {
  const managedNames = new Set(schemas);
  const byKey = new Map(catalog.entries.map((entry) => [entry.key, entry]));
  const ofUsers = (key: string) => {
    const entry = byKey.get(key);
    return entry !== undefined && entry.kind !== "SCHEMA" && entry.schema !== null && !managedNames.has(entry.schema);
  };
  const isLeftOut = (entry: Entry, gone: ReadonlySet<string>): boolean => {
    if (entry.section === "none" && entry.dependencies.some((key) => gone.has(key) && isOwner(byKey.get(key)!, entry)))
      return true;
    if (entry.kind === "SCHEMA") return managedNames.has(entry.name);
    if (entry.kind === "EVENT TRIGGER") return entry.dependencies.some((key) => gone.has(key));
    if (entry.kind === "PUBLICATION") return entry.name.startsWith("supabase_");
    if (entry.kind === "DEFAULT ACL" && serviceRoles.test(entry.owner ?? "")) return true;
    if (entry.schema === null || !managedNames.has(entry.schema)) return false;
    if (entry.section === "none") return !entry.dependencies.some((key) => byKey.has(key) && !gone.has(key));
    return !(entry.kind === "POLICY" || (hung.has(entry.kind) && entry.dependencies.some(ofUsers)));
  };
  const gone = new Set<string>();
  const ordered = [...catalog.entries].sort((a, b) => Number(a.section === "none") - Number(b.section === "none"));
  for (const entry of ordered) if (isLeftOut(entry, gone)) gone.add(entry.key);
  const entries = catalog.entries.filter(({ key }) => !gone.has(key));
  const prefixes = schemas.map((schema) => `${quoteIdent(schema)}.`);
  const unknown = catalog.unknown.filter(({ identity }) => !prefixes.some((prefix) => identity.startsWith(prefix)));
  return { entries, unknown, digest: catalogDigest(entries) };
}

/** A comment, label or grant names what it belongs to: `TABLE t`, `SCHEMA s`, `COLUMN t.c`. */
function isOwner(candidate: Entry, attached: Entry): boolean {
  return attached.name.startsWith(`${candidate.kind} `) || attached.schema === candidate.schema;
}
