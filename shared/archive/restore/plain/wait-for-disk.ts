import { setTimeout as sleep } from "node:timers/promises";
import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";

const pauseMs = 50;
const longestMs = 30_000;

/**
 * Waits until the write-ahead log of every commit so far is on the server's disk: with synchronous_commit off its log
 * writer brings it there within a second. Throws `database_error` when it does not.
 */
export async function waitForDisk(session: Session): Promise<void> {
  const [now] = await session.run("select pg_catalog.pg_current_wal_insert_lsn()::text as lsn");
  const end = performance.now() + longestMs;
  for (;;) {
    const [row] = await session.sql`select pg_catalog.pg_current_wal_flush_lsn() >= ${now!.lsn}::pg_lsn as flushed`;
    if (row?.flushed === true) return;
    if (performance.now() > end)
      throw new BelayError("database_error", "the server does not say that the restored database is on its disk", {
        hint: "Run CHECKPOINT on the server, and look at its log.",
      });
    await sleep(pauseMs);
  }
}
