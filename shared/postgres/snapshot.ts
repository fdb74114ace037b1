import { quoteLiteral } from "../catalog/identifiers.ts";
import { databaseError } from "./errors.ts";
import { openSession, type Session } from "./session.ts";
import { setParameters } from "./settings.ts";

/** A moment of the database that other sessions can read from, as long as the exporting transaction stays open. */
export interface Snapshot {
  readonly id: string;
  /** ISO 8601, by the server's clock. */
  readonly takenAt: string;
}

/** Exports the snapshot of the session's open transaction; outside savepoints, where the server refuses. */
export async function exportSnapshot(session: Session): Promise<Snapshot> {
  try {
    const [row] = await session.sql`select pg_export_snapshot() as id, clock_timestamp() as at`;
    return { id: row!.id, takenAt: (row!.at as Date).toISOString() };
  } catch (error) {
    throw databaseError(error, { doing: "exporting a snapshot" });
  }
}

export interface ReaderLimits {
  readonly statementTimeoutMs?: number;
  /** A reader must not wait behind a writer who waits for us: the server cannot see that deadlock. */
  readonly lockTimeoutMs?: number;
}

/**
 * Opens a session whose transaction reads one exported snapshot: repeatable read, read only, every row whatever the
 * policies say, names always with their schema.
 */
export async function openReader(url: string, snapshotId: string, limits: ReaderLimits = {}): Promise<Session> {
  const session = await openSession(url, { applicationName: "belay reader" });
  try {
    await setParameters(session, {
      row_security: "off",
      search_path: "",
      statement_timeout: String(limits.statementTimeoutMs ?? 0),
      lock_timeout: String(limits.lockTimeoutMs ?? 2_000),
      idle_in_transaction_session_timeout: "600000",
    });
    await session.run(`begin isolation level repeatable read read only;
      set transaction snapshot ${quoteLiteral(snapshotId)}`);
    return session;
  } catch (error) {
    await session.destroy();
    throw databaseError(error, { url, doing: "opening a reader on the snapshot" });
  }
}
