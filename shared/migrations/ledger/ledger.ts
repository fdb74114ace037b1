import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { compareMigrations } from "../layouts/source.ts";
import { resolveName } from "../resolve.ts";
import type { LedgerMigration, Migration, MigrationStatus } from "../types.ts";

/** A ledger row with the checksum of its current revision's whole file. */
export interface LedgerRow extends LedgerMigration {
  readonly fileChecksum: string;
  readonly sourceFile: string;
}

/** All migrations of the ledger in version order, with dependencies in both directions. */
export async function readLedger(session: Session): Promise<LedgerRow[]> {
  const rows = await session.sql`
    select h.migration_name as name, h.migration_version as version, h.status, h.applied_by, h.rollback_sql, h.checksum,
      h.rollback_by, h.notes, h.metadata::text as metadata, r.forward_sql, r.verify_sql, r.revision, r.file_checksum, r.source_file,
      to_char(h.applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as applied_at,
      to_char(h.rollback_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as rollback_at
    from belay.migration_history h
    left join lateral (
      select * from belay.migration_revisions r where r.migration_name = h.migration_name order by r.revision desc limit 1
    ) r on true`;
  const edges = await session.sql<{ name: string; dependsOn: string }[]>`
    select migration_name as name, depends_on as "dependsOn" from belay.migration_dependencies order by 1, 2`;
  return rows
    .map((row) => ({
      name: row.name,
      version: row.version,
      status: row.status as MigrationStatus,
      appliedAt: row.applied_at,
      appliedBy: row.applied_by,
      rollbackSql: row.rollback_sql,
      forwardSql: row.forward_sql,
      verifySql: row.verify_sql,
      checksum: row.checksum,
      rollbackAt: row.rollback_at,
      rollbackBy: row.rollback_by,
      notes: row.notes,
      metadata: JSON.parse(row.metadata) as Record<string, unknown>,
      revision: row.revision ?? 0,
      fileChecksum: row.file_checksum ?? "",
      sourceFile: row.source_file ?? "",
      dependsOn: edges.filter((edge) => edge.name === row.name).map((edge) => edge.dependsOn),
      dependents: edges.filter((edge) => edge.dependsOn === row.name).map((edge) => edge.name),
    }))
    .sort(compareMigrations);
}

/** One migration of the ledger by name, file name or version; `latest` is the newest applied. Throws `unknown_migration`. */
export async function readLedgerMigration(session: Session, written: string): Promise<LedgerRow> {
  const ledger = await readLedger(session);
  const name =
    written === "latest" ? ledger.findLast((row) => row.status !== "rolled_back")?.name : resolveName(written, ledger);
  const found = ledger.find((row) => row.name === name);
  if (found !== undefined) return found;
  throw new BelayError("unknown_migration", `migration ${written} is not in the ledger`, {
    hint: "Run `belay list` for those that are, `belay sync` to register what was applied since.",
    details: { migration: written },
  });
}

/** Writes a migration and its first revision. */
export async function insertMigration(
  session: Session,
  migration: Migration,
  facts: { actor: string; status: MigrationStatus; appliedAt?: string | null },
): Promise<void> {
  await session.sql`
    insert into belay.migration_history (migration_name, migration_version, applied_at, applied_by, rollback_sql, checksum, status, metadata)
    values (${migration.name}, ${migration.version}, coalesce(${facts.appliedAt ?? null}::timestamptz, now()), ${facts.actor}, ${migration.rollback?.sql ?? null}, ${migration.checksum},
      ${facts.status}, ${JSON.stringify(metadataOf(migration))}::text::jsonb)`;
  await insertRevision(session, migration, 1, facts.actor);
}

/** Makes the folder's text the current one: a new revision, and the ledger row follows. */
export async function reviseMigration(
  session: Session,
  migration: Migration,
  revision: number,
  actor: string,
): Promise<void> {
  await insertRevision(session, migration, revision, actor);
  await session.sql`
    update belay.migration_history
    set rollback_sql = ${migration.rollback?.sql ?? null}, checksum = ${migration.checksum},
      metadata = metadata || ${JSON.stringify(metadataOf(migration))}::text::jsonb
    where migration_name = ${migration.name}`;
}

/** Marks a migration that the team's tool applied again. */
export async function markApplied(
  session: Session,
  name: string,
  { actor, appliedAt }: { actor: string; appliedAt: string | null },
): Promise<void> {
  await session.sql`
    update belay.migration_history
    set status = 'applied', applied_at = coalesce(${appliedAt}::timestamptz, now()), applied_by = ${actor}, rollback_at = null, rollback_by = null, metadata = metadata - 'tracking'
    where migration_name = ${name}`;
}

/** Writes dependencies that both sides of the ledger know; what is there already stays. */
export async function insertDependencies(
  session: Session,
  dependencies: readonly { name: string; dependsOn: string; found: "declared" | "catalog"; why: string }[],
): Promise<void> {
  if (dependencies.length === 0) return;
  const text = JSON.stringify(dependencies);
  await session.sql`
    insert into belay.migration_dependencies (migration_name, depends_on, found, why)
    select d.name, d."dependsOn", d.found, d.why
    from jsonb_to_recordset(${text}::text::jsonb) as d (name text, "dependsOn" text, found text, why text)
    join belay.migration_history a on a.migration_name = d.name
    join belay.migration_history b on b.migration_name = d."dependsOn"
    on conflict (migration_name, depends_on) do nothing`;
}

async function insertRevision(session: Session, migration: Migration, revision: number, actor: string): Promise<void> {
  await session.sql`
    insert into belay.migration_revisions
      (migration_name, revision, forward_sql, rollback_sql, verify_sql, checksum, file_checksum, source_file, layout, created_by)
    values (${migration.name}, ${revision}, ${migration.forwardSql}, ${migration.rollback?.sql ?? null}, ${migration.verifySql},
      ${migration.checksum}, ${migration.fileChecksum}, ${migration.file}, ${migration.layout}, ${actor})`;
}

/** What errors in rollback SQL are reported against, and whom else it reverses. */
function metadataOf(migration: Migration): Record<string, unknown> {
  const rollback = migration.rollback;
  if (rollback === null) return { rollbackFile: null, rollbackLine: null, reverses: [] };
  return { rollbackFile: rollback.file, rollbackLine: rollback.line, reverses: rollback.reverses };
}
