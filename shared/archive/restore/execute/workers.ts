import { isBelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";
import type { RestoreContext } from "./context.ts";
import { openRestoreSession } from "./sessions.ts";
import { shareRestore } from "./state.ts";

const tooManyConnections = "53300";

/** As many sessions as asked for, or as the server lets in: one at least. */
export async function openWorkers(
  url: string,
  jobs: number,
  parameters: Readonly<Record<string, string>>,
  context: RestoreContext,
): Promise<Session[]> {
  const workers: Session[] = [];
  while (workers.length < jobs) {
    try {
      const session = await openRestoreSession(url, parameters);
      workers.push(session);
      await shareRestore(session);
    } catch (error) {
      const full = isBelayError(error) && error.details.sqlstate === tooManyConnections;
      if (full && workers.length > 0) {
        context.warnings.push(`the server let in only ${workers.length} of ${jobs} sessions`);
        break;
      }
      await Promise.allSettled(workers.map((worker) => worker.destroy()));
      throw error;
    }
  }
  return workers;
}
