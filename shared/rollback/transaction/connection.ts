import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { requireBelay } from "../../install.ts";
import { databaseError, isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { openControl } from "./control.ts";
import { settleEarlierAttempts } from "./settle.ts";

/** Port on which hosted poolers in transaction mode listen (platform.md, "Direct Postgres"). */
const transactionPoolerPort = "6543";

/**
 * Opens the session beside the transaction, or refuses a transaction pooler before anything is set on its server connections,
 * which are everybody's: locks, snapshots and settings need one backend from BEGIN to COMMIT. Throws `transaction_pooler`.
 */
async function openDirectControl(belay: Belay): Promise<Session> {
  refusePoolerPort(belay);
  return openControl(belay, (connection) => requireDirect(belay, connection));
}

/**
 * Works with the session beside the transaction, once records that earlier attempts left are settled. Throws
 * `transaction_pooler`, `belay_not_installed`, and `connection_lost` where that session goes.
 */
export async function withControl<T>(belay: Belay, work: (control: Session) => Promise<T>): Promise<T> {
  const control = await openDirectControl(belay);
  try {
    await requireBelay(control);
    await settleEarlierAttempts(control);
    return await work(control);
  } catch (error) {
    throw isConnectionLost(error) ? databaseError(error, { url: belay.settings.database }) : error;
  } finally {
    await control.close().catch(() => {});
  }
}

/** Before anything is sent to Supabase's transaction pooler. */
function refusePoolerPort({ settings: { database } }: Belay): void {
  const port = database === undefined || !URL.canParse(database) ? "" : new URL(database).port;
  if (port === transactionPoolerPort) throw pooled(`port ${port} is Supabase's pooler in transaction mode`);
}

type Connection = Pick<Session, "sql" | "pid">;

/**
 * Beside another session's transaction a transaction pooler lends this one's backend out, or gives it another; after it, it
 * gives the one that it got back last.
 */
async function requireDirect(belay: Belay, connection: Connection): Promise<void> {
  const other = await belay.openSession({ applicationName: "belay control", unset: true });
  try {
    await other.run("begin");
    const lent = await backendOf(other);
    const during = await backendOf(connection);
    await other.run("rollback");
    if (lent !== connection.pid && during === connection.pid && (await backendOf(connection)) === connection.pid)
      return;
  } finally {
    await other.close().catch(() => {});
  }
  throw pooled("this connection goes through a pooler in transaction mode: its sessions share backends");
}

async function backendOf({ sql }: Connection): Promise<number> {
  const [row] = await sql`select pg_catalog.pg_backend_pid() as pid`;
  return row!.pid;
}

function pooled(why: string): BelayError {
  return new BelayError("transaction_pooler", why, {
    hint: "Use the direct connection or the pooler in session mode (on Supabase port 5432 instead of 6543): a rollback needs one backend from BEGIN to COMMIT.",
  });
}
