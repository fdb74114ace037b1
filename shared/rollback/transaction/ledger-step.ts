import { appendAudit } from "../../audit.ts";
import { type LedgerRow, readLedger, readLedgerMigration } from "../../migrations/ledger/ledger.ts";
import { keptTracking, removeFromTracking, restoreToTracking } from "../../migrations/tracking/rows.ts";
import { pendingAgain, readTracking, sameVersion, whatToolDoesNext } from "../../migrations/tracking/tables.ts";
import type { TrackingTable } from "../../migrations/types.ts";
import type { Session } from "../../postgres/session.ts";

export interface LedgerChange {
  readonly migration: string;
  /** All that go or come back as one, oldest first. */
  readonly migrations: readonly string[];
  readonly rollbackId: string;
  readonly actor: string;
  readonly reason: string;
  readonly archiveId: string | null;
}

/** Every migration that the same rollback SQL reverses, this one too, oldest first. */
export async function reversedTogether(session: Session, migration: string): Promise<LedgerRow[]> {
  const asked = await readLedgerMigration(session, migration);
  const reverses = Array.isArray(asked.metadata.reverses) ? (asked.metadata.reverses as unknown[]) : [];
  if (!reverses.some((name) => name !== asked.name)) return [asked];
  const ledger = await readLedger(session);
  return ledger.filter((row) => row.name === asked.name || reverses.includes(row.name));
}

/** The table in which the team's tool records what it applied; null without any. */
export async function trackingTable(session: Session, version: string): Promise<TrackingTable | null> {
  return (await readTracking(session, [version]))?.table ?? null;
}

/**
 * Marks the migrations rolled back, in step with the tool's table and with an audit row; answers what the tool does next.
 * `removed`: rows of the tool's table that the rollback SQL itself took out, for undo to put back.
 */
export async function markRolledBack(
  session: Session,
  change: LedgerChange,
  removed: readonly { readonly version: string; readonly row: string }[] = [],
): Promise<string[]> {
  const notes: string[] = [];
  // Newest first: golang-migrate's pointer goes back one migration at a time.
  for (const migration of (await rowsNamed(session, change.migrations)).reverse()) {
    await session.sql`
      update belay.migration_history
         set status = 'rolled_back', rollback_at = clock_timestamp(), rollback_by = ${change.actor}
       where migration_name = ${migration.name}`;
    const table = await trackingTable(session, migration.version);
    if (table === null) notes.push(`${pendingAgain(migration.name)}: apply it once more only after mending it.`);
    else {
      await removeFromTracking(session, table, migration);
      const own = removed.filter(({ version }) => sameVersion(version, migration.version));
      if (own.length > 0) await keepRows(session, migration.name, `[${own.map(({ row }) => row).join(",")}]`);
      notes.push(whatToolDoesNext(table, migration.name));
    }
  }
  await audit(session, "rollback", change);
  return notes;
}

/** Marks the migrations applied again, in step with the tool's table and with an audit row. */
export async function markAppliedAgain(session: Session, change: LedgerChange): Promise<string[]> {
  const notes: string[] = [];
  for (const migration of await rowsNamed(session, change.migrations)) {
    await session.sql`
      update belay.migration_history
         set status = 'applied', rollback_at = null, rollback_by = null
       where migration_name = ${migration.name}`;
    const table = keptTracking(migration.metadata) ?? (await trackingTable(session, migration.version));
    if (table !== null && (await restoreToTracking(session, table, migration)))
      notes.push(`${migration.name} counts as applied again for ${table.tool}.`);
  }
  await audit(session, "undo", change);
  return notes;
}

async function rowsNamed(session: Session, names: readonly string[]): Promise<LedgerRow[]> {
  return (await readLedger(session)).filter(({ name }) => names.includes(name));
}

async function keepRows(session: Session, migration: string, rows: string): Promise<void> {
  await session.sql`
    update belay.migration_history set metadata = jsonb_set(metadata, '{tracking,rows}', ${rows}::text::jsonb)
     where migration_name = ${migration}`;
}

async function audit(session: Session, action: string, change: LedgerChange): Promise<void> {
  await appendAudit(session, {
    actor: change.actor,
    action,
    subject: change.migration,
    details: {
      rollbackId: change.rollbackId,
      archiveId: change.archiveId,
      reason: change.reason,
      ...(change.migrations.length > 1 ? { migrations: change.migrations } : {}),
    },
  });
}
