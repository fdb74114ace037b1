import { quoteIdent } from "../shared/catalog/identifiers.ts";
import { BelayError } from "../shared/errors.ts";
import type { Session } from "../shared/postgres/session.ts";
import { allowWritersSql } from "./sql.ts";

const pollMs = 100;
const patienceMs = 15_000;

export interface StoppedWriters {
  /** Sessions that were ended. */
  readonly ended: number;
}

/**
 * Makes new sessions of a database read only and ends those that are there, but for `spared`. `server` is a session on
 * another database of the same server. Throws `database_error` naming who could not be ended; a client that sets its
 * own transactions to read and write again is not held back.
 */
export async function stopWriters(
  server: Session,
  database: string,
  spared: readonly number[],
): Promise<StoppedWriters> {
  await server.run(`alter database ${quoteIdent(database)} set default_transaction_read_only = on`);
  await refusePrepared(server, database);
  return { ended: await endSessions(server, database, spared) };
}

export async function allowWriters(server: Session, database: string): Promise<void> {
  await server.run(allowWritersSql(database));
}

/** Ends every client of a database but `spared`, and waits until they are gone; returns how many there were. */
export async function endSessions(server: Session, database: string, spared: readonly number[] = []): Promise<number> {
  const seen = new Set<number>();
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const rows = await server.sql<{ pid: number; who: string; ended: boolean }[]>`
      select pid, usename || coalesce(' (' || nullif(application_name, '') || ')', '') as who,
        case when pid = any (${[...spared]}::int4[]) then null else pg_catalog.pg_terminate_backend(pid) end as ended
      from pg_catalog.pg_stat_activity
      where datname = ${database} and backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid()`;
    const left = rows.filter(({ pid }) => !spared.includes(pid));
    for (const { pid } of left) seen.add(pid);
    if (left.length === 0) return seen.size;
    if (Date.now() > deadline)
      throw new BelayError(
        "database_error",
        `${left.map(({ who, pid }) => `${who}, pid ${pid}`).join("; ")} did not end`,
        {
          hint: `Stop what connects to ${database}, and run the same command again.`,
          details: { pids: left.map(({ pid }) => pid) },
        },
      );
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** A prepared transaction may still commit, whoever is connected. */
async function refusePrepared(server: Session, database: string): Promise<void> {
  const rows = await server.sql<
    { gid: string }[]
  >`select gid from pg_catalog.pg_prepared_xacts where database = ${database}`;
  if (rows.length === 0) return;
  throw new BelayError("database_error", `prepared transactions are open: ${rows.map(({ gid }) => gid).join(", ")}`, {
    hint: "End each with COMMIT PREPARED or ROLLBACK PREPARED, and run the same command again.",
  });
}
