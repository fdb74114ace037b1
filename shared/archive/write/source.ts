import type { Session } from "../../postgres/session.ts";
import type { Manifest } from "../types.ts";

/** Which database an archive is of: by system identifier and oid, not by URL. */
export async function readSource(session: Session): Promise<Manifest["source"]> {
  const [row] = await session.sql`
    select (select system_identifier::text from pg_catalog.pg_control_system()) as system, d.oid::int8::float8 as oid,
      d.datname as name, current_setting('server_version') as version
    from pg_catalog.pg_database d where d.datname = current_database()`;
  return {
    systemIdentifier: row!.system,
    databaseOid: row!.oid,
    database: row!.name,
    serverVersion: row!.version,
    serverVersionNum: session.serverVersion,
  };
}

/** Installed extensions that are among `names`. */
export async function readExtensions(session: Session, names: readonly string[]): Promise<Manifest["extensions"]> {
  const rows = await session.sql<{ name: string; version: string; schema: string }[]>`
    select e.extname as name, e.extversion as version, n.nspname as schema
    from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
    where e.extname = any (${[...names]}::text[]) order by e.extname`;
  return rows.map(({ name, version, schema }) => ({ name, version, schema }));
}
