import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";
import { readUnfinished, stateSchema } from "../execute/state.ts";
import type { RestoreOptions } from "../types.ts";
import { requireEmptyDatabase } from "./empty.ts";

/** What planning and running take from the server. */
export interface ServerFacts {
  /** Role that restores. */
  readonly self: string;
  readonly tablespaces: ReadonlySet<string>;
  readonly foreignKeys: boolean;
}

export async function readServerFacts(session: Session): Promise<ServerFacts> {
  const [row] = await session.sql`select current_user as self,
    (select array_agg(spcname::text) from pg_catalog.pg_tablespace) as spaces,
    exists (select from pg_catalog.pg_constraint where contype = 'f') as keys`;
  return { self: row!.self, tablespaces: new Set(row!.spaces as string[]), foreignKeys: row!.keys };
}

/**
 * Throws `restore_target` when users' objects are in the database, or a restore that did not end: that one can be
 * resumed.
 */
export async function requireRoom(session: Session, place: string, { intoNonEmpty }: RestoreOptions): Promise<void> {
  const unfinished = await readUnfinished(session);
  if (unfinished !== null)
    throw new BelayError(
      "restore_target",
      `${place} holds a restore of ${unfinished.archive} that was begun at ${unfinished.begunAt} and did not end`,
      {
        hint: `Nothing was changed. Pass --resume to go on with it, or drop the database and begin again (the record is the schema ${stateSchema}).`,
        details: { reason: "unfinished" },
      },
    );
  if (!intoNonEmpty) await requireEmptyDatabase(session, place);
}

/** Major version in the words of a server: `15.18 (Debian...)`; 0 when it does not say. */
export function majorOf(version: string | null): number {
  return Number(/^\s*(\d{1,3})/.exec(version ?? "")?.[1] ?? 0);
}
