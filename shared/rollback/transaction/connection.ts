import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";

/** Port on which hosted poolers in transaction mode listen (platform.md, "Direct Postgres"). */
const transactionPoolerPort = "6543";

/** Refuses a transaction pooler: locks, snapshots and settings need one backend from BEGIN to COMMIT. */
export async function requireDirectConnection(belay: Belay, session: Session): Promise<void> {
  const { database } = belay.settings;
  const port = database === undefined ? "" : new URL(database).port;
  const pids = await session.sql`select pg_backend_pid() as pid`;
  if (port !== transactionPoolerPort && pids[0]!.pid === session.pid) return;
  throw new BelayError("transaction_pooler", "this connection goes through a transaction pooler", {
    hint: "Use the direct connection or the session pooler (port 5432): a rollback needs one backend from BEGIN to COMMIT.",
  });
}
