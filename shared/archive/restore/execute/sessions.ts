import { BelayError } from "../../../errors.ts";
import { openSession, type Session } from "../../../postgres/session.ts";
import { setParameters } from "../../../postgres/settings.ts";

/**
 * As pg_restore sets them: names with their schema, nothing checked or hidden before it is there, no time limit. What
 * is committed need not be on disk at once: the last commit of a restore waits for all of it.
 */
const restoreParameters = {
  search_path: "",
  check_function_bodies: "off",
  row_security: "off",
  client_min_messages: "warning",
  xmloption: "content",
  default_tablespace: "",
  default_table_access_method: "heap",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  standard_conforming_strings: "on",
  synchronous_commit: "off",
};

const firstWithTransactionTimeout = 170_000;

/** Opens a session that is set up as restoring needs it. */
export async function openRestoreSession(
  url: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Session> {
  const session = await openSession(url, { applicationName: "belay restore" });
  try {
    await requireOwnBackend(session, url);
    const timeout: Record<string, string> =
      session.serverVersion >= firstWithTransactionTimeout ? { transaction_timeout: "0" } : {};
    await setParameters(session, { ...restoreParameters, ...timeout, ...parameters });
    return session;
  } catch (error) {
    await session.destroy().catch(() => {});
    throw error;
  }
}

/**
 * Commits the session's transaction with its write-ahead log on disk, which then holds every commit before it, and asks
 * the server whether it does. Throws `database_error` when it does not say so.
 */
export async function commitDurably(session: Session): Promise<void> {
  const [before] = await session.run("select pg_catalog.pg_current_wal_insert_lsn()::text as lsn");
  await session.run("SET LOCAL synchronous_commit = on; COMMIT");
  const [row] = await session.sql`select pg_catalog.pg_current_wal_flush_lsn() >= ${before!.lsn}::pg_lsn as flushed`;
  if (row?.flushed === true) return;
  throw new BelayError("database_error", "the server does not say that the restored database is on its disk", {
    hint: "Run CHECKPOINT on the server, and look at its log.",
  });
}

/** Port on which hosted poolers in transaction mode listen. */
const transactionPoolerPort = "6543";

/** Settings and locks of a session need one backend for all its transactions. */
async function requireOwnBackend(session: Session, url: string): Promise<void> {
  const [row] = await session.sql`select pg_catalog.pg_backend_pid() as pid`;
  const port = URL.canParse(url) ? new URL(url).port : "";
  if (port !== transactionPoolerPort && row!.pid === session.pid) return;
  throw new BelayError("transaction_pooler", "this connection goes through a transaction pooler", {
    hint: "Use the direct connection or the session pooler (port 5432): a restore keeps settings and locks over many transactions.",
  });
}
