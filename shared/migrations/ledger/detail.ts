import type { Belay } from "../../context.ts";
import { withSession } from "../../with-session.ts";
import { readLedgerMigration } from "./ledger.ts";
import { listMigrations, type MigrationRow } from "./status.ts";

/** One migration as `belay list` shows it, with the SQL that the ledger keeps. */
export interface MigrationDetail extends MigrationRow {
  readonly checksum: string;
  readonly revision: number;
  readonly appliedBy: string | null;
  readonly rollbackAt: string | null;
  readonly rollbackBy: string | null;
  readonly forwardSql: string | null;
  readonly rollbackSql: string | null;
  readonly verifySql: string | null;
  readonly notes: string | null;
}

/** A migration of the ledger by name, file name or version, or `latest`; throws `unknown_migration`. */
export async function readMigrationDetail(belay: Belay, written: string): Promise<MigrationDetail> {
  const row = await withSession(belay, "belay migration", (session) => readLedgerMigration(session, written));
  const listed = (await listMigrations(belay)).find((one) => one.migration === row.name)!;
  const { checksum, revision, appliedBy, rollbackAt, rollbackBy, forwardSql, rollbackSql, verifySql, notes } = row;
  return {
    ...listed,
    checksum,
    revision,
    appliedBy,
    rollbackAt,
    rollbackBy,
    forwardSql,
    rollbackSql,
    verifySql,
    notes,
  };
}
