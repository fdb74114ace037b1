import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";
import type { TocEntry } from "../../format/toc.ts";
import { hasOwner } from "../plan/owners.ts";

/** Roles among the entries' owners in whose name the restoring role may not make objects; a superuser may in everybody's. */
export async function readForbiddenOwners(session: Session, entries: readonly TocEntry[]): Promise<string[]> {
  const owners = [...new Set(entries.filter(hasOwner).map(({ owner }) => owner!))];
  // Before 16 every member could act as the role.
  const right = session.serverVersion >= 160_000 ? "SET" : "MEMBER";
  const rows = await session.sql<{ name: string }[]>`
    select r.rolname as name from pg_catalog.pg_roles r
    where r.rolname = any (${owners}::text[]) and not pg_catalog.pg_has_role(r.oid, ${right}) order by 1`;
  return rows.map(({ name }) => name);
}

/** Throws `restore_target` naming at once every role that the restoring role may not act as. */
export async function requireOwners(session: Session, entries: readonly TocEntry[], self: string): Promise<void> {
  const forbidden = await readForbiddenOwners(session, entries);
  if (forbidden.length === 0) return;
  throw new BelayError("restore_target", `${self} may not act as the roles that own objects: ${forbidden.join(", ")}`, {
    hint: `Nothing was changed. GRANT these roles TO ${self}, restore as a superuser, or pass --no-owner.`,
    details: { reason: "rights", roles: forbidden },
  });
}
