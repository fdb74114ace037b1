import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { sqlState, sqlStateOf } from "../../postgres/errors.ts";
import { ownPath } from "../../postgres/settings.ts";
import { readBlockers } from "./blockers.ts";
import { requestWords, type TargetRequest } from "./target.ts";

/** What planning itself could not get past: enough to end who is in the way. */
export interface PlanningBlocked {
  readonly migration: string;
  readonly hash: string;
  readonly locks: { readonly oid: number; readonly mode: string }[];
}

/** Whether an error says that a lock was waited for in vain. */
export function isLockTimeout(error: unknown): boolean {
  return [sqlStateOf(error), sqlStateOf((error as { cause?: unknown } | null)?.cause)].includes(
    sqlState.lockNotAvailable,
  );
}

/** Reading definitions and counting rows waits for whoever holds, or waits for, a table exclusively: names them. */
export function planningBlocked(belay: Belay, request: TargetRequest, cause: unknown): Promise<BelayError> {
  const migration = requestWords(request);
  return lockedOut(
    belay,
    { subject: `the rollback of ${migration}`, migration, end: `belay plan ${migration}` },
    cause,
  );
}

/** The same for what else is planned; `end`: the command that ends who is in the way, where there is one. */
export async function lockedOut(
  belay: Belay,
  { subject, migration, end }: { readonly subject: string; readonly migration: string; readonly end: string | null },
  cause: unknown,
): Promise<BelayError> {
  const session = await belay.openSession({ applicationName: "belay plan", parameters: ownPath });
  try {
    const rows = await session.sql`
      select distinct relation::int8::text as oid from pg_locks
       where locktype = 'relation' and mode = 'AccessExclusiveLock' and pid is distinct from pg_backend_pid()
         and database = (select oid from pg_database where datname = current_database())`;
    const locks = rows.map(({ oid }) => ({ oid: Number(oid), mode: "ACCESS SHARE" }));
    const blockers = await readBlockers(session, locks);
    const [first] = blockers.filter(({ pid }) => pid !== null);
    const who = blockers.map(
      ({ pid, gid, role, relation, granted }) =>
        `${pid === null ? `prepared transaction ${gid ?? ""}` : `pid ${pid}`} (${role || "no role"}) ${granted ? "holds" : "waits for"} ${relation} exclusively`,
    );
    return new BelayError(
      "lock_not_obtained",
      `${subject} cannot be planned now: ${who.length === 0 ? "a table was held exclusively, and is free by now" : who.join("; ")}`,
      {
        hint:
          first === undefined
            ? "Run the same command again."
            : `Wait for it, or: ${end === null ? `select pg_terminate_backend(${first.pid});` : `${end} --terminate ${first.pid}`}`,
        details: { blockers, blocked: { migration, hash: "", locks } satisfies PlanningBlocked },
        cause,
      },
    );
  } finally {
    await session.close();
  }
}
