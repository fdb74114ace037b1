import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { openControl } from "./control.ts";

/** Port on which hosted poolers in transaction mode listen (platform.md, "Direct Postgres"). */
const transactionPoolerPort = "6543";

/** Refuses the port of Supabase's transaction pooler before anything is sent there; throws `transaction_pooler`. */
export function refusePoolerPort({ settings: { database } }: Belay): void {
  const port = database === undefined || !URL.canParse(database) ? "" : new URL(database).port;
  if (port === transactionPoolerPort) throw pooled(`port ${port} is Supabase's pooler in transaction mode`);
}

/**
 * Refuses a transaction pooler: locks, snapshots and settings need one backend from BEGIN to COMMIT. Beside another session's
 * transaction a pooler lends this one's backend out, or gives it another; after it, it gives the one that it got back last.
 * Throws `transaction_pooler`.
 */
export async function requireDirectConnection(belay: Belay, session: Session): Promise<void> {
  const other = await openControl(belay);
  try {
    await other.run("begin");
    const lent = await backendOf(other);
    const during = await backendOf(session);
    await other.run("rollback");
    if (lent !== session.pid && during === session.pid && (await backendOf(session)) === session.pid) return;
    // What was set for us must not stay on connections that are everybody's.
    for (const each of [session, other]) await each.run("reset all").catch(() => {});
  } finally {
    await other.close().catch(() => {});
  }
  throw pooled("this connection goes through a pooler in transaction mode: its sessions share backends");
}

async function backendOf(session: Session): Promise<number> {
  const [row] = await session.sql`select pg_backend_pid() as pid`;
  return row!.pid;
}

function pooled(why: string): BelayError {
  return new BelayError("transaction_pooler", why, {
    hint: "Use the direct connection or the pooler in session mode (on Supabase port 5432 instead of 6543): a rollback needs one backend from BEGIN to COMMIT.",
  });
}
