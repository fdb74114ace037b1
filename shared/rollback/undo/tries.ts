import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { readBlockers } from "../plan/blockers.ts";
import { isLockFailure, lockNotObtained } from "../transaction/locks.ts";
import { pauseMs, sleep } from "../transaction/patience.ts";
import { watchClient } from "../transaction/timeouts.ts";
import type { RollbackReport } from "../types.ts";
import { type Tried, tryWay } from "./attempt.ts";
import type { UndoAttempt, Way } from "./types.ts";
import { entriesInPathWay, entriesWay, forwardWay } from "./ways.ts";

/** Tries each way until one ends at the catalog of before; what the others said is in the error when none fits. */
export async function tryWays(attempt: Omit<UndoAttempt, "session">): Promise<RollbackReport> {
  const reasons: string[] = [];
  for (const way of [forwardWay, entriesWay, entriesInPathWay]) {
    // Another search_path helps only where a name was not found.
    if (way === entriesInPathWay && !reasons.at(-1)!.includes("does not exist")) break;
    const tried = await withLockRetries(attempt, way);
    if ("report" in tried) return tried.report;
    reasons.push(tried.failed);
  }
  throw new BelayError(
    "undo_conflict",
    `the rollback of ${attempt.undoable.migration} could not be undone: ${reasons.join("; ")}`,
    {
      hint: "Nothing changed. The archive restores with pg_restore; its README.txt says how to do it by hand.",
      details: { reasons, archiveId: attempt.undoable.manifest?.id ?? null },
    },
  );
}

/** A lock timeout or a deadlock ends the transaction; bounded attempts, with a pause of random length between them. */
async function withLockRetries(attempt: Omit<UndoAttempt, "session">, way: Way): Promise<Tried> {
  const { settings } = attempt.belay;
  const started = performance.now();
  for (let tries = 1; ; tries++) {
    try {
      return await withSession(attempt, (session) => tryWay({ ...attempt, session }, way, tries));
    } catch (error) {
      if (!isLockFailure(error) || isOurOwn(error)) throw error;
      if (tries >= settings.lockAttempts)
        throw await notObtained(attempt, { tries, waitedMs: performance.now() - started }, error);
    }
    attempt.belay.report({
      phase: "lock",
      message: `waiting for locks, attempt ${tries} of ${settings.lockAttempts}`,
    });
    await sleep(pauseMs(tries, settings.lockTimeoutMs));
  }
}

/** Another rollback holds the advisory lock: waiting for it is the caller's decision. */
function isOurOwn(error: unknown): boolean {
  return error instanceof BelayError && error.code !== "undo_conflict";
}

async function notObtained(
  attempt: Omit<UndoAttempt, "session">,
  spent: { readonly tries: number; readonly waitedMs: number },
  cause: unknown,
) {
  const { undoable, control } = attempt;
  const { remembered } = undoable;
  const kept = [...remembered.rewritten, ...remembered.made].map(({ oid }) => oid);
  const changed = remembered.changed.map(({ after }) => after.address.objid);
  const merged = (undoable.manifest?.tables ?? []).flatMap(({ mergesInto }) => mergesInto ?? []);
  const names = merged.map(({ schema, table }) => `${schema}.${table}`);
  const rows = await control.sql`
    select c.oid::int8::text as oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname || '.' || c.relname = any(${names}::text[])`;
  const oids = [...kept, ...changed, ...rows.map((row) => Number(row.oid))];
  return lockNotObtained(
    `what the undo of ${undoable.migration} needs`,
    spent,
    await readBlockers(
      control,
      oids.map((oid) => ({ oid, mode: "ACCESS EXCLUSIVE" })),
    ),
    cause,
  );
}

/** A fresh connection for every attempt: the server's counters still hold what an aborted one did. */
async function withSession<T>(
  { belay }: Omit<UndoAttempt, "session">,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await belay.openSession({ applicationName: "belay undo" });
  try {
    await watchClient(session);
    return await work(session);
  } finally {
    await session.close().catch(() => {});
  }
}
