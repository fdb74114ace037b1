import { mostOfSmall } from "../../archive/write/write-data.ts";
import type { Settings } from "../../config.ts";
import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { setLimits, silenceOf } from "../transaction/timeouts.ts";

/** Two keep two cores busy: more readers of a large table only cost more (docs/performance.md). */
const usualReaders = 2;

/** Bytes in the source below which a second connection costs more time than it saves. */
const worthASecond = 1024 * 1024;

/** Connections that are left to the application. */
const leftFree = 5;

/** How many readers an archive of tables of these sizes (bytes) is worth, unless the setting says. */
export function readersFor(settings: Pick<Settings, "archiveReaders">, sizes: readonly number[]): number {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  // A large table's digest is taken by another reader than its rows.
  const jobs = sizes.reduce((sum, size) => sum + (size < mostOfSmall ? 1 : 2), 0);
  return Math.max(1, Math.min(settings.archiveReaders ?? (bytes < worthASecond ? 1 : usualReaders), jobs));
}

/**
 * Sessions on the exported snapshot; with a lock_timeout, for a queue behind our locks is a deadlock that Postgres cannot
 * see. One at least, and more only while the application still finds connections.
 */
export async function openReaders(belay: Belay, snapshot: string, wanted: number): Promise<Session[]> {
  const first = await openReader(belay, snapshot);
  try {
    const more = wanted <= 1 ? 0 : Math.max(0, Math.min(wanted - 1, (await freeConnections(first)) - leftFree));
    return [first, ...(await openMore(belay, snapshot, more))];
  } catch (error) {
    await first.destroy().catch(() => {});
    throw error;
  }
}

async function freeConnections({ sql }: Session): Promise<number> {
  const [row] = await sql`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - (select sum(numbackends) from pg_stat_database)::int as free`;
  return row!.free;
}

/** Whoever was faster may have taken the last connection: then those that were opened do. */
async function openMore(belay: Belay, snapshot: string, count: number): Promise<Session[]> {
  const opened = await Promise.allSettled(Array.from({ length: count }, () => openReader(belay, snapshot)));
  const readers = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failure = opened.find((one) => one.status === "rejected" && !isFull(one.reason));
  if (failure === undefined) return readers;
  await Promise.allSettled(readers.map((reader) => reader.destroy()));
  throw (failure as PromiseRejectedResult).reason;
}

async function openReader(belay: Belay, snapshot: string): Promise<Session> {
  const reader = await belay.openSession({ applicationName: "belay reader", silenceMs: silenceOf(belay.settings) });
  try {
    await reader.run("begin transaction isolation level repeatable read read only");
    await reader.run(`set transaction snapshot '${snapshot.replaceAll("'", "''")}'`);
    await setLimits(reader, belay.settings);
    return reader;
  } catch (error) {
    await reader.destroy().catch(() => {});
    throw error;
  }
}

/** PostgreSQL manual, appendix A. */
const tooManyConnections = "53300";

function isFull(error: unknown): boolean {
  return isBelayError(error) && error.details.sqlstate === tooManyConnections;
}
