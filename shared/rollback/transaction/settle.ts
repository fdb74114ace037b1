import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { openControl } from "./control.ts";
import { recordFailure } from "./intent.ts";
import { liftSequences } from "./sequences.ts";

export type Settled = "committed" | "failed" | "running" | "unknown";

export interface SettleOptions {
  /** Longest wait while the transaction still runs. */
  readonly patienceMs?: number;
  /** Ours alone: what still runs after that is ended, for nobody will ever hear of it. */
  readonly end?: boolean;
}

/** Asks the server what became of a transaction. */
export async function settleTransaction(
  control: Session,
  xid: string,
  { patienceMs = 5_000, end = false }: SettleOptions = {},
): Promise<Settled> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const [row] = await control.sql`select pg_xact_status(${xid}::xid8) as status`;
    if (row!.status === "committed") return "committed";
    if (row!.status === "aborted") return "failed";
    if (row!.status === null) return "unknown";
    if (Date.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (!end) return "running";
  await control.sql`
    select pg_terminate_backend(pid) from pg_stat_activity where backend_xid = ${xid}::xid8::xid and usename = current_user`;
  return settleTransaction(control, xid, { patienceMs });
}

/** How long at most to ask a server that does not answer what became of a COMMIT, and the pause between two attempts. */
const reachMs = 30_000;
const pauseMs = 500;

/** As settleTransaction, of a transaction of ours whose connection is gone: on new connections, also while the server starts again. */
export async function settleElsewhere(belay: Belay, xid: string, withinMs = reachMs): Promise<Settled> {
  const deadline = Date.now() + Math.min(withinMs, belay.settings.statementTimeoutMs);
  for (;;) {
    try {
      const asker = await openControl(belay);
      try {
        return await settleTransaction(asker, xid, { patienceMs: 1_000, end: true });
      } finally {
        await asker.close().catch(() => {});
      }
    } catch {
      if (Date.now() > deadline) return "unknown";
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/**
 * Settles the records that earlier, killed attempts left as intended: with pg_xact_status where the transaction id is
 * known, otherwise by the backend being gone. What may still run is left alone.
 */
export async function settleEarlierAttempts(control: Session): Promise<void> {
  const rows = await control.sql`
    select r.id, r.xid, r.report -> 'sequences' as sequences, exists (
             select from pg_stat_activity a where a.pid = r.backend_pid and a.backend_start <= r.started_at
           ) as alive
      from belay.rollbacks r
     where r.outcome in ('intended', 'unknown')`;
  for (const row of rows) {
    const alive = row.alive ? "running" : "failed";
    const settled = row.xid === null ? alive : await settleTransaction(control, row.xid, { patienceMs: 0 });
    if (settled === "running") continue;
    if (settled === "failed" && Array.isArray(row.sequences)) await liftSequences(control, row.sequences);
    // Its process may live, and have begun another transaction meanwhile.
    await control.sql`
      update belay.rollbacks
         set outcome = ${settled}, report = case when ${settled} = 'failed' then null else report end, error_code = 'connection_lost', error_hint = null, finished_at = clock_timestamp(),
             error_message = ${settled === "failed" ? "the process ended before COMMIT; the server rolled everything back" : "the answer to the COMMIT was lost"}
       where id = ${row.id} and outcome in ('intended', 'unknown') and xid is not distinct from ${row.xid}`;
  }
}

/**
 * Puts a failure on record once its transaction is known to have ended, and lifts first what setval pushed back. On a new
 * connection when the old one is gone. What cannot be settled stays as intended: the next command settles it.
 */
export async function settleFailure(belay: Belay, control: Session, id: string, failure: BelayError): Promise<void> {
  // Where one connection went, the others may only seem to be there, and it takes long to notice.
  const trusted = control.alive && failure.code !== "connection_lost";
  const session = trusted ? control : await openControl(belay).catch(() => null);
  if (session === null) return;
  try {
    const [row] = await session.sql`
      select xid, report -> 'sequences' as sequences from belay.rollbacks where id = ${id} and outcome in ('intended', 'unknown')`;
    if (row === undefined) return;
    if (row.xid !== null && failure.details.outcome !== "unknown") {
      const settled = await settleTransaction(session, row.xid, { patienceMs: 1_000, end: true });
      if (settled !== "failed") return;
      if (Array.isArray(row.sequences)) await liftSequences(session, row.sequences);
    }
    await recordFailure(session, id, failure);
  } catch {
    // The failure itself is what the caller tells.
  } finally {
    if (session !== control) await session.close().catch(() => {});
  }
}

/** The error of a COMMIT whose outcome cannot be known. */
export function outcomeUnknown(rollbackId: string, cause: unknown): BelayError {
  return new BelayError("connection_lost", `the answer to the COMMIT of rollback ${rollbackId} was lost`, {
    hint: "It is done whole or not at all. Run the same command when the database answers again: it says which it was, and settles the record.",
    details: { rollbackId, outcome: "unknown" },
    cause,
  });
}
