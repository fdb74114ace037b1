import { BelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";
import type { Manifest } from "../../types.ts";

/** Throws `restore_target` when the database is the one that the archive was made from, whatever URL led there. */
export async function refuseSource(session: Session, manifest: Manifest | null): Promise<void> {
  if (manifest === null) return;
  const [row] = await session.sql`
    select (select system_identifier::text from pg_catalog.pg_control_system()) as system, oid::int8::float8 as oid
    from pg_catalog.pg_database where datname = current_database()`;
  const { source } = manifest;
  if (row?.system !== source.systemIdentifier || row.oid !== source.databaseOid) return;
  throw new BelayError(
    "restore_target",
    `this is the database ${source.database} itself, which the archive was made from`,
    {
      hint: "Nothing was changed. Restore into another database: --create makes the one that the URL names.",
      details: { reason: "source" },
    },
  );
}
