import { databaseError } from "../postgres/errors.ts";
import type { Session } from "../postgres/session.ts";

/** Runs work in one transaction of the session; whatever it throws rolls back. `doing` is for the error's message. */
export async function inTransaction<T>(session: Session, doing: string, work: () => Promise<T>): Promise<T> {
  await session.run("begin");
  try {
    const result = await work();
    await session.run("commit");
    return result;
  } catch (error) {
    await session.run("rollback").catch(() => {});
    throw databaseError(error, { doing });
  }
}
