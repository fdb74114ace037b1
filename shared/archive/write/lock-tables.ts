import { qualified } from "../../catalog/identifiers.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";

/** Tables that one LOCK statement names. */
const perStatement = 500;

/**
 * Locks every table of the database, but those of the schemas named, against being dropped or changed until the
 * session's transaction ends: what the catalog says must still be so when the rows are read. Waits at most for the
 * session's lock_timeout; throws `lock_not_obtained`, or `database_error` where the role may not read a table.
 */
export async function lockTables(session: Session, excludeSchemas: readonly string[]): Promise<void> {
  const rows = await session.sql<{ schema: string; name: string }[]>`
    select n.nspname as schema, c.relname as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relpersistence <> 't'
      and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
      and n.nspname <> all (${[...excludeSchemas]}::text[])
      and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    order by n.nspname, c.relname`;
  try {
    for (let at = 0; at < rows.length; at += perStatement) {
      const names = rows.slice(at, at + perStatement).map(({ schema, name }) => `only ${qualified(schema, name)}`);
      await session.run(`lock table ${names.join(", ")} in access share mode`);
    }
  } catch (error) {
    throw databaseError(error, { doing: "locking the tables against changes" });
  }
}
