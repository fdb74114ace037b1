import { quoteIdent } from "../../catalog/identifiers.ts";
import { openSession, type Session } from "../../postgres/session.ts";

/** Roles belong to the whole server: those that migrations make outlive the scratch database. */
export async function readRoles(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.sql<{ name: string }[]>`select rolname as name from pg_catalog.pg_roles`;
  return new Set(rows.map(({ name }) => name));
}

/** Drops roles that were not there at the start and that one of the texts names; what still owns something stays. */
export async function dropNewRoles(
  serverUrl: string,
  atStart: ReadonlySet<string>,
  texts: readonly string[],
): Promise<void> {
  const session = await openSession(serverUrl, { applicationName: "belay scratch" });
  try {
    const made = [...(await readRoles(session))].filter((role) => !atStart.has(role));
    for (const role of made.filter((name) => texts.some((text) => namesRole(text, name))))
      await session.run(`drop role if exists ${quoteIdent(role)}`).catch(() => {});
  } finally {
    await session.close();
  }
}

/** As a whole word: another session may have made the role `app` meanwhile, and every text says `apply`. */
export function namesRole(text: string, role: string): boolean {
  const word = role.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w$])${word}(?![\\w$])`, "i").test(text);
}
