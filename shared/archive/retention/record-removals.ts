import { appendAudit } from "../../audit.ts";
import type { Belay } from "../../context.ts";
import { withSession } from "../../with-session.ts";
import { type Removal, type Removed, removeArchive } from "./remove.ts";

/** One archive and what became of it. */
export interface RemovedArchive extends Removed {
  readonly id: string;
}

export type RemovalAction = "archive.pruned" | "archive.expired" | "archive.discarded";

/**
 * Removes archives one after the other, each with an audit row before and after when a database is set. Stops at the
 * first failure, whose row says how far it came; throws it.
 */
export async function removeRecorded(
  belay: Belay,
  ids: readonly string[],
  action: RemovalAction,
  removal: Removal,
): Promise<RemovedArchive[]> {
  if (belay.settings.database === undefined) return await removeAll(belay, ids, removal, async () => {});
  return await withSession(belay, "belay prune", (session) =>
    removeAll(belay, ids, removal, async (id, step, details) => {
      await appendAudit(session, {
        actor: removal.by,
        action: `${action}${step}`,
        subject: id,
        details: { store: belay.store.url, reason: removal.reason, ...details },
      });
    }),
  );
}

type Note = (id: string, step: "" | ".begun" | ".failed", details: Readonly<Record<string, unknown>>) => Promise<void>;

async function removeAll(
  belay: Belay,
  ids: readonly string[],
  removal: Removal,
  note: Note,
): Promise<RemovedArchive[]> {
  const removed: RemovedArchive[] = [];
  for (const id of ids) {
    await note(id, ".begun", {});
    try {
      const result = await removeArchive(belay.store, id, removal);
      removed.push({ id, ...result });
      if (result.locked === null) await note(id, "", { objects: result.objects, bytes: result.bytes });
      else await note(id, ".failed", { locked: result.locked });
    } catch (error) {
      await note(id, ".failed", { error: error instanceof Error ? error.message : String(error) }).catch(() => {});
      throw error;
    }
    belay.report({ phase: "prune", message: id, done: removed.length, total: ids.length });
  }
  return removed;
}
