import type { Belay } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import { settleElsewhere } from "./settle.ts";

/** Longest time to look for the end of a transaction that failed: the next command can settle it too. */
const askMs = 10_000;

/** Ends a transaction; when its connection is gone, on another. Answers whether it is known that nothing of it stays. */
export async function giveUp(belay: Belay, session: Session, xid: string | undefined): Promise<boolean> {
  const ended = await session.run("rollback").then(
    () => true,
    () => false,
  );
  if (ended) return true;
  await session.destroy().catch(() => {});
  return xid === undefined || (await settleElsewhere(belay, xid, askMs)) === "failed";
}
