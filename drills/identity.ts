import type { Session } from "../shared/postgres/session.ts";

/** Which database a session is in, whatever URL led there. */
export interface DatabaseIdentity {
  readonly systemIdentifier: string;
  readonly databaseOid: number;
}

export async function identityOf(session: Session): Promise<DatabaseIdentity> {
  const [row] = await session.sql`
    select (select system_identifier::text from pg_control_system()) as system,
      (select oid::int from pg_database where datname = current_database()) as oid`;
  return { systemIdentifier: row!.system, databaseOid: row!.oid };
}

export function sameDatabase(a: DatabaseIdentity, b: DatabaseIdentity): boolean {
  return a.systemIdentifier === b.systemIdentifier && a.databaseOid === b.databaseOid;
}
