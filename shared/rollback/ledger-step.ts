import { appendAudit } from "../audit.ts";
import { readLedgerMigration } from "../migrations/ledger.ts";
import { readTracking, whatToolDoesNext } from "../migrations/tracking.ts";
import { keptTracking, removeFromTracking, restoreToTracking } from "../migrations/tracking-rows.ts";
import type { TrackingTable } from "../migrations/types.ts";
import type { Session } from "../postgres/session.ts";

export interface LedgerChange {
  readonly migration: string;
  readonly rollbackId: string;
  readonly actor: string;
  readonly reason: string;
  readonly archiveId: string | null;
}

/** Every migration that the same rollback SQL reverses, the asked one first. */
async function reversedTogether(session: Session, migration: string) {
  const first = await readLedgerMigration(session, migration);
  const reverses = Array.isArray(first.metadata.reverses) ? (first.metadata.reverses as string[]) : [];
  const others = reverses.filter((name) => name !== first.name);
  return [first, ...(await Promise.all(others.map((name) => readLedgerMigration(session, name))))];
}

/** The table in which the team's tool records what it applied; null without any. */
export async function trackingTable(session: Session, version: string): Promise<TrackingTable | null> {
  return (await readTracking(session, [version]))?.table ?? null;
}

/** Marks the migration rolled back, in step with the tool's table and with an audit row; answers what the tool does next. */
export async function markRolledBack(session: Session, change: LedgerChange): Promise<string[]> {
  const notes: string[] = [];
  for (const migration of await reversedTogether(session, change.migration)) {
    await session.sql`
      update belay.migration_history
         set status = 'rolled_back', rollback_at = clock_timestamp(), rollback_by = ${change.actor}
       where migration_name = ${migration.name}`;
    const table = await trackingTable(session, migration.version);
    if (table === null) notes.push(`${migration.name} is pending again: apply it once more only after mending it.`);
    else {
      await removeFromTracking(session, table, migration);
      notes.push(whatToolDoesNext(table, migration.name));
    }
  }
  await audit(session, "rollback", change);
  return notes;
}

/** Marks the migration applied again, in step with the tool's table and with an audit row. */
export async function markAppliedAgain(session: Session, change: LedgerChange): Promise<string[]> {
  const notes: string[] = [];
  for (const migration of await reversedTogether(session, change.migration)) {
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

async function audit(session: Session, action: string, change: LedgerChange): Promise<void> {
  await appendAudit(session, {
    actor: change.actor,
    action,
    subject: change.migration,
    details: { rollbackId: change.rollbackId, archiveId: change.archiveId, reason: change.reason },
  });
}
