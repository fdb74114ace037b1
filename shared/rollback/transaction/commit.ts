import type { Belay } from "../../context.ts";
import { isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { outcomeUnknown, settleElsewhere } from "./settle.ts";

/** Nothing is left to do at COMMIT but to make it durable. */
const answerMs = 30_000;

/**
 * COMMIT; when its answer is lost, the server is asked what became of it, for a bounded time. Throws `connection_lost`:
 * with the outcome `unknown` when the server cannot be asked either.
 */
export async function commit(belay: Belay, rollbackId: string, session: Session, xid: string): Promise<void> {
  // A frozen connection gives no answer, and does not close either.
  const late = setTimeout(() => void session.destroy().catch(() => {}), answerMs);
  try {
    await session.run("commit");
  } catch (error) {
    if (session.alive && !isConnectionLost(error)) throw error;
    belay.report({ phase: "commit", message: "the answer to COMMIT was lost; asking the server what became of it" });
    const settled = await settleElsewhere(belay, xid);
    if (settled === "committed") return;
    if (settled === "failed") throw error;
    throw outcomeUnknown(rollbackId, error);
  } finally {
    clearTimeout(late);
  }
}
