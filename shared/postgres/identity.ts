import type { Session } from "./session.ts";

/** Which database a session is in, whatever URL led there. */
export interface DatabaseIdentity {
  readonly systemIdentifier: string;
  readonly databaseOid: number;
}

export async function identityOf(session: Session): Promise<DatabaseIdentity> {
  const [row] = await session.sql`
    select (select system_identifier::text from pg_catalog.pg_control_system()) as system, oid::int8::float8 as oid
    from pg_catalog.pg_database where datname = current_database()`;
  return { systemIdentifier: row!.system, databaseOid: row!.oid };
}

export function sameDatabase(a: DatabaseIdentity, b: DatabaseIdentity): boolean {
  return a.systemIdentifier === b.systemIdentifier && a.databaseOid === b.databaseOid;
}
