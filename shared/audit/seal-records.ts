import type { Belay } from "../context.ts";
import type { Session } from "../postgres/session.ts";
import { anchorAudit } from "./anchor.ts";
import { writeReceipts } from "./receipt.ts";
import { storeOf } from "./store-of.ts";

/** Writes the receipts that are due and anchors the log's head. Never throws; answers notes on what could not be done. */
export async function sealRecords(belay: Belay, session: Session): Promise<string[]> {
  if (!session.alive) return sealRecordsApart(belay);
  if (storeOf(belay) === null) return ["no store is set: the audit log's head is not anchored"];
  const receipts = await writeReceipts(belay, session);
  const { note } = await anchorAudit(belay, session);
  return [receipts, note].filter((each) => each !== null);
}

/** As sealRecords, on a session of its own. */
export async function sealRecordsApart(belay: Belay): Promise<string[]> {
  const session = await belay.openSession({ applicationName: "belay audit" }).catch(() => null);
  if (session === null) return ["the audit log's head is not anchored: the database did not answer"];
  try {
    return await sealRecords(belay, session);
  } finally {
    await session.close().catch(() => {});
  }
}
