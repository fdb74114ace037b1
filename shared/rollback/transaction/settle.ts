import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { liftSequences } from "./sequences.ts";

export type Settled = "committed" | "failed" | "running" | "unknown";

/** Asks the server what became of a transaction whose answer was lost; waits up to `patienceMs` while it still runs. */
export async function settleTransaction(control: Session, xid: string, patienceMs = 5_000): Promise<Settled> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const [row] = await control.sql`select pg_xact_status(${xid}::xid8) as status`;
    if (row!.status === "committed") return "committed";
    if (row!.status === "aborted") return "failed";
    if (row!.status === null) return "unknown";
    if (Date.now() > deadline) return "running";
    await new Promise((resolve) => setTimeout(resolve, 100));
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
    const settled = row.xid !== null ? await settleTransaction(control, row.xid, 0) : row.alive ? "running" : "failed";
    if (settled === "running") continue;
    if (settled === "failed" && Array.isArray(row.sequences)) await liftSequences(control, row.sequences);
    await control.sql`
      update belay.rollbacks
         set outcome = ${settled}, report = case when ${settled} = 'failed' then null else report end, error_code = 'connection_lost', finished_at = clock_timestamp(),
             error_message = ${settled === "failed" ? "the process ended before COMMIT; the server rolled everything back" : "the answer to the COMMIT was lost"}
       where id = ${row.id} and outcome in ('intended', 'unknown')`;
  }
}

/** The error of a COMMIT whose outcome cannot be known. */
export function outcomeUnknown(rollbackId: string, cause: unknown): BelayError {
  return new BelayError("connection_lost", `the answer to the COMMIT of rollback ${rollbackId} was lost`, {
    hint: "Run `belay repair MIGRATION` when the database answers again: it says which it was, and settles the record.",
    details: { rollbackId, outcome: "unknown" },
    cause,
  });
}
