import { readSnapshot } from "../catalog/snapshots.ts";
import type { Session } from "../postgres/session.ts";
import type { Snapshots } from "./end-state.ts";

/** A migration's own snapshots; null unless both are there. */
export async function readSnapshots(session: Session, migration: string): Promise<Snapshots | null> {
  const before = await readSnapshot(session, migration, "before");
  const after = await readSnapshot(session, migration, "after");
  return before === null || after === null ? null : { before: before.entries, after: after.entries };
}
