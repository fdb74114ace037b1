import type { CatalogWatch } from "../../catalog/watch.ts";
import type { Settings } from "../../config.ts";
import type { Session } from "../../postgres/session.ts";
import { isLockFailure } from "./locks.ts";
import { beginLimited } from "./timeouts.ts";

/**
 * Reads the whole catalog while nobody waits yet, so that under the locks only what changed is read. What is held exclusively just
 * now stops nothing here: it may be free by then.
 */
export async function readAhead(session: Session, settings: Settings, watch: CatalogWatch): Promise<void> {
  await beginLimited(session, settings);
  try {
    await watch.read();
  } catch (error) {
    if (!isLockFailure(error)) throw error;
  } finally {
    if (session.alive) await session.run("rollback");
  }
}
