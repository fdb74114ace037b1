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

/** Runs `work` in one transaction of the session; what it throws rolls everything back. */
export async function inTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  await session.run("begin");
  try {
    const result = await work();
    await session.run("commit");
    return result;
  } catch (error) {
    await session.run("rollback").catch(() => {});
    throw error;
  }
}
