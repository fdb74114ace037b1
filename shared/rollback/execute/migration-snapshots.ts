import { readSnapshot } from "../../catalog/snapshots.ts";
import type { Session } from "../../postgres/session.ts";
import type { Snapshots } from "./end-state.ts";

/**
 * Snapshots around the migrations that one rollback SQL reverses, oldest first: before the first and after the last.
 * Null unless both are there.
 */
export async function readSnapshots(session: Session, migrations: readonly string[]): Promise<Snapshots | null> {
  const before = await readSnapshot(session, migrations.at(0)!, "before");
  const after = await readSnapshot(session, migrations.at(-1)!, "after");
  return before === null || after === null ? null : { before: before.entries, after: after.entries };
}
