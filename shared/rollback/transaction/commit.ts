import type { Belay } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import { outcomeUnknown, settleTransaction } from "./settle.ts";

/** COMMIT; when its answer is lost, the server is asked what became of it. */
export async function commit(belay: Belay, rollbackId: string, session: Session, xid: string): Promise<void> {
  try {
    await session.run("commit");
  } catch (error) {
    if (session.alive) throw error;
    const asker = await belay.openSession({ applicationName: "belay control" }).catch(() => null);
    const settled = asker === null ? "unknown" : await settleTransaction(asker, xid).finally(() => asker.close());
    if (settled === "committed") return;
    if (settled === "failed") throw error;
    throw outcomeUnknown(rollbackId, error);
  }
}
