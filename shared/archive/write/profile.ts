import { catalogDigest, entryKey } from "../../catalog/entry.ts";
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

/** Of the platform's tables, one whose rows are users' own. pg_cron says itself that `cron.job` is such a one. */
const ownRows = entryKey({ kind: "TABLE", schema: "storage", name: "buckets", owner: null });

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

/** Kinds of which the platform makes some outside of its schemas, by its own roles. */
const besideSchemas = new Set(["DEFAULT ACL", "EVENT TRIGGER", "FOREIGN DATA WRAPPER", "PUBLICATION", "SERVER"]);

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
    if (besideSchemas.has(entry.kind) && serviceRoles.test(entry.owner ?? "")) return true;
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

/** One of the platform's tables whose rows are archived without it. */
export interface PlatformTable {
  readonly entry: Entry;
  /** Those whose rows must be there first: the platform's foreign keys stand already. */
  readonly references: readonly Entry[];
}

/**
 * The platform's tables whose rows an archive without the platform's schemas must hold all the same: those that foreign keys
 * of users' tables lead to (auth.users), those that these lead to, and storage.buckets.
 */
export function platformTables(whole: Catalog, kept: Pick<Catalog, "entries">): PlatformTable[] {
  const byKey = new Map(whole.entries.map((entry) => [entry.key, entry]));
  const keptKeys = new Set(kept.entries.map(({ key }) => key));
  const isTheirs = (key: string) => byKey.get(key)?.kind === "TABLE" && !keptKeys.has(key);
  const keysOf = (entries: readonly Entry[]) =>
    entries.filter(({ kind }) => kind === "FK CONSTRAINT").map(({ dependencies }) => dependencies.filter(isTheirs));
  const references = new Map<string, Set<string>>();
  for (const entry of whole.entries) {
    if (entry.kind !== "FK CONSTRAINT" || keptKeys.has(entry.key)) continue;
    const from = entry.dependencies.find((key) => isTheirs(key) && entry.name.startsWith(`${byKey.get(key)!.name} `));
    for (const key of entry.dependencies.filter(isTheirs))
      if (from !== undefined && key !== from) references.set(from, (references.get(from) ?? new Set()).add(key));
  }
  const open = [...keysOf(kept.entries).flat(), ...(isTheirs(ownRows) ? [ownRows] : [])];
  const wanted = new Set<string>();
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (wanted.has(key)) continue;
    wanted.add(key);
    open.push(...(references.get(key) ?? []));
  }
  return [...wanted].map((key) => ({
    entry: byKey.get(key)!,
    references: [...(references.get(key) ?? [])].map((other) => byKey.get(other)!),
  }));
}
