import type { Belay } from "./context.ts";
import type { Session } from "./postgres/session.ts";

/** Opens a session on the target database for one piece of work, and always closes it. */
export async function withSession<T>(
  belay: Belay,
  applicationName: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await belay.openSession({ applicationName });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
