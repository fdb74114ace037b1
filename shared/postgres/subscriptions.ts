import { openSession, type Session } from "./session.ts";

/**
 * Drops the subscriptions of a copy of a database, without a word to their publishers: the server drops no database that
 * has any. Slots over there are the original's, so they stay.
 */
export async function dropSubscriptions(server: Session, database: string, url: string): Promise<void> {
  const rows = await server.sql<{ name: string }[]>`
    select quote_ident(subname) as name from pg_catalog.pg_subscription
    where subdbid = (select oid from pg_catalog.pg_database where datname = ${database})`;
  if (rows.length === 0) return;
  const session = await openSession(url, { applicationName: "belay scratch" });
  try {
    for (const { name } of rows) {
      await session.run(`alter subscription ${name} disable`);
      await session.run(`alter subscription ${name} set (slot_name = none)`);
      await session.run(`drop subscription ${name}`);
    }
  } finally {
    await session.close();
  }
}
