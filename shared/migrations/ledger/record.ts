import { appendAudit } from "../../audit.ts";
import type { Session } from "../../postgres/session.ts";
import type { Migration, MigrationStatus } from "../types.ts";
import { insertMigration, type LedgerRow, markApplied, reviseMigration } from "./ledger.ts";

export type ChangedPart = "forward" | "rollback" | "verify";

/** A migration whose files differ from what the ledger holds. */
export interface MigrationChange {
  readonly migration: string;
  readonly parts: readonly ChangedPart[];
  /** The ledger's current revision; the new one when accepted. */
  readonly revision: number;
  /** False: the ledger still holds the old text. */
  readonly accepted: boolean;
  readonly oldRollbackSql: string | null;
  readonly newRollbackSql: string | null;
}

/** Who registers it, and when the team's tool applied it; null: the tool does not say, so now. */
export interface AppliedFacts {
  readonly actor: string;
  readonly appliedAt: string | null;
}

/** How the folder's text differs from the ledger's current revision; empty when it does not. */
export function changedParts(migration: Migration, row: LedgerRow): ChangedPart[] {
  const parts: ChangedPart[] = [];
  if (migration.checksum !== row.checksum) parts.push("forward");
  if (unixLines(migration.rollback?.sql ?? null) !== unixLines(row.rollbackSql)) parts.push("rollback");
  if (unixLines(migration.verifySql) !== unixLines(row.verifySql)) parts.push("verify");
  return parts;
}

// A checkout on another system may have other line endings: that is no change.
function unixLines(sql: string | null): string | null {
  return sql?.replace(/\r\n?/g, "\n") ?? null;
}

/** Registers a migration, with its audit row. Call within a transaction. */
export async function recordNew(
  session: Session,
  migration: Migration,
  facts: { readonly status: MigrationStatus } & AppliedFacts,
): Promise<void> {
  const { status, actor } = facts;
  await insertMigration(session, migration, facts);
  await appendAudit(session, {
    actor,
    action: "register",
    subject: migration.name,
    details: {
      status,
      checksum: migration.checksum,
      fileChecksum: migration.fileChecksum,
      hasRollback: migration.rollback !== null,
    },
  });
}

/** Marks a rolled back migration as applied again; the folder's text becomes its revision. Call within a transaction. */
export async function recordAppliedAgain(
  session: Session,
  migration: Migration,
  row: LedgerRow,
  facts: AppliedFacts,
): Promise<void> {
  const { actor } = facts;
  await markApplied(session, row.name, facts);
  if (changedParts(migration, row).length > 0) await reviseMigration(session, migration, row.revision + 1, actor);
  await appendAudit(session, {
    actor,
    action: "applied_again",
    subject: row.name,
    details: { checksum: migration.checksum },
  });
}

/** Shows how an applied migration's files changed; only with `accept` does the ledger follow, as a new revision. */
export async function recordChange(
  session: Session,
  migration: Migration,
  row: LedgerRow,
  options: { readonly accept: boolean; readonly actor: string },
): Promise<MigrationChange | null> {
  const parts = changedParts(migration, row);
  if (parts.length === 0) return null;
  if (options.accept) {
    await reviseMigration(session, migration, row.revision + 1, options.actor);
    await appendAudit(session, {
      actor: options.actor,
      action: "revise",
      subject: row.name,
      details: {
        parts,
        revision: row.revision + 1,
        checksum: migration.checksum,
        fileChecksum: migration.fileChecksum,
      },
    });
  }
  return {
    migration: row.name,
    parts,
    revision: options.accept ? row.revision + 1 : row.revision,
    accepted: options.accept,
    oldRollbackSql: row.rollbackSql,
    newRollbackSql: migration.rollback?.sql ?? null,
  };
}
