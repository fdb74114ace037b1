import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Manifest } from "../types.ts";

/** Throws `scratch_unavailable`, naming some, when users' objects are already in the database. */
export async function requireEmptyDatabase(session: Session): Promise<void> {
  const found = await session.sql<{ name: string }[]>`
    with schemas as (
      select oid, nspname from pg_catalog.pg_namespace
      where nspname <> 'information_schema' and nspname !~ '^pg_'
    ), found as (
      select format('schema %I', nspname) as name from schemas where nspname <> 'public'
      union all select format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_class c join schemas n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
      union all select p.oid::regprocedure::text from pg_catalog.pg_proc p join schemas n on n.oid = p.pronamespace
      union all select t.oid::regtype::text from pg_catalog.pg_type t join schemas n on n.oid = t.typnamespace
        where t.typtype in ('e', 'd')
    ) select name from found order by name limit 5`;
  if (found.length === 0) return;
  throw new BelayError(
    "scratch_unavailable",
    `the database is not empty: it has ${found.map(({ name }) => name).join(", ")}`,
    { hint: "Restore into a new database made from template0." },
  );
}

/** Throws `scratch_unavailable` naming the roles and extensions that the archive needs and the server lacks. */
export async function requireEnvironment(session: Session, manifest: Manifest): Promise<void> {
  const lacking = await readLacking(session, manifest);
  if (lacking.length === 0) return;
  throw new BelayError("scratch_unavailable", `the server lacks what the archive needs: ${lacking.join(", ")}`, {
    hint: "Create these roles and install these extensions on the server that is restored to.",
    details: { lacking },
  });
}

/** What the archive needs and the server lacks, in words. */
export async function readLacking(session: Session, manifest: Manifest): Promise<string[]> {
  const roles = await session.sql<{ name: string }[]>`
    select name from unnest(${manifest.roles}::text[]) as name
    where not exists (select from pg_catalog.pg_roles where rolname = name)`;
  const names = manifest.extensions.map(({ name }) => name);
  const missing = await session.sql<{ name: string }[]>`
    select wanted.name from unnest(${names}::text[]) as wanted (name)
    where not exists (select from pg_catalog.pg_available_extensions a where a.name = wanted.name)`;
  return [...roles.map(({ name }) => `role ${name}`), ...missing.map(({ name }) => `extension ${name}`)];
}
