import { qualified } from "../../catalog/identifiers.ts";
import { isBelayError } from "../../errors.ts";
import { databaseError, sqlState } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { exportSnapshot, type Snapshot } from "../../postgres/snapshot.ts";

/** Tables that one LOCK statement names. */
const perStatement = 500;

/** Times that the locks are taken again because a table was dropped while they were waited for. */
const mostAgain = 3;

/**
 * Begins a transaction that reads one moment and locks every table of the database, but those of the schemas named,
 * against being dropped or changed. The locks come before the moment: a table that is truncated or rewritten after a
 * snapshot looks empty to it. Throws `lock_not_obtained`, or `database_error` where the role may not read a table.
 */
export async function beginLocked(
  session: Session,
  excludeSchemas: readonly string[],
  lockTimeoutMs: number,
): Promise<Snapshot> {
  for (let left = mostAgain; ; left -= 1) {
    const tables = await listTables(session, excludeSchemas);
    // No query before the locks: the first one takes the snapshot.
    await session.run(`begin isolation level repeatable read read only;
      set local lock_timeout = '${lockTimeoutMs}ms'; set local statement_timeout = 0;
      set local idle_in_transaction_session_timeout = 0`);
    try {
      await lockTables(session, tables);
    } catch (error) {
      if (left === 0 || !isDropped(error)) throw error;
      await session.run("rollback");
      continue;
    }
    const snapshot = await exportSnapshot(session);
    const locked = new Set(tables);
    await lockTables(
      session,
      (await listTables(session, excludeSchemas)).filter((table) => !locked.has(table)),
    );
    return snapshot;
  }
}

/** Quoted, with their schemas. */
async function listTables(session: Session, excludeSchemas: readonly string[]): Promise<string[]> {
  const rows = await session.sql<{ schema: string; name: string }[]>`
    select n.nspname as schema, c.relname as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relpersistence <> 't'
      and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
      and n.nspname <> all (${[...excludeSchemas]}::text[])
      and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by n.nspname, c.relname`;
  return rows.map(({ schema, name }) => qualified(schema, name));
}

async function lockTables(session: Session, tables: readonly string[]): Promise<void> {
  try {
    for (let at = 0; at < tables.length; at += perStatement) {
      const names = tables.slice(at, at + perStatement).map((table) => `only ${table}`);
      await session.run(`lock table ${names.join(", ")} in access share mode`);
    }
  } catch (error) {
    throw databaseError(error, { doing: "locking the tables against changes" });
  }
}

function isDropped(error: unknown): boolean {
  const gone: unknown[] = [sqlState.undefinedTable, sqlState.invalidSchemaName];
  return isBelayError(error, "database_error") && gone.includes(error.details.sqlstate);
}
