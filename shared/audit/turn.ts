import { BelayError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";

/** Longest wait (ms) for another session that anchors or writes receipts. */
const patienceMs = 5_000;

/** How long (ms) one that is frozen, or whose store is, keeps the turn from others. */
const frozenMs = 7_000;

/** Runs work in a transaction that holds the turn to write anchors and receipts: each names the one before it. */
export async function inTurn<T>(session: Session, work: () => Promise<T>, limitMs = frozenMs): Promise<T> {
  const [row] = await session.run("select now() = statement_timestamp() as alone");
  if (row!.alone !== true) throw new BelayError("internal", "a transaction is open");
  await session.run("begin transaction isolation level read committed read write");
  try {
    await limitTurn(session, limitMs);
    await session.sql`select pg_advisory_xact_lock(hashtextextended('belay.audit_anchors', 0))`;
    const result = await work();
    await session.run("commit");
    return result;
  } catch (error) {
    await session.run("rollback").catch(() => {});
    throw error;
  }
}

/** Between the two halves of a statement with parameters no limit counts but the whole transaction's (17 and newer). */
async function limitTurn({ sql, serverVersion }: Session, limitMs: number): Promise<void> {
  const names = ["statement_timeout", "idle_in_transaction_session_timeout"];
  if (serverVersion >= 170_000) names.push("transaction_timeout");
  await sql`select set_config('lock_timeout', ${`${patienceMs}ms`}, true)`;
  await sql`select set_config(name, ${`${limitMs}ms`}, true) from unnest(${names}::text[]) as name`;
}
