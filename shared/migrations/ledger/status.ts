import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { isBlankSql } from "../../sql/blank.ts";
import { prepareRollbackSql } from "../../sql/prepare.ts";
import { withSession } from "../../with-session.ts";
import { compareMigrations } from "../layouts/source.ts";
import type { Migration, MigrationFolder, MigrationStatus } from "../types.ts";
import { type LedgerRow, readLedger } from "./ledger.ts";
import { changedParts } from "./record.ts";

/** One row of `belay list`. */
export interface MigrationRow {
  readonly migration: string;
  readonly version: string;
  /** `pending`: a file that is not applied. */
  readonly status: MigrationStatus | "pending";
  /** By ledger and syntax; `belay check` looks at the database too. */
  readonly canRollBack: boolean;
  readonly appliedAt: string | null;
  readonly hasRollback: boolean;
  /** null when it can be rolled back. */
  readonly blockingReason: string | null;
  /** Applied migrations that must be rolled back first, newest first. */
  readonly dependents: readonly string[];
  /** Other migrations that the same rollback SQL reverses. */
  readonly reversesToo: readonly string[];
  readonly snapshots: { readonly before: boolean; readonly after: boolean };
  /** The last rehearsal's verdict for this very SQL; null when there was none. */
  readonly proof: string | null;
  /** What of the file differs from the ledger. */
  readonly drift: readonly ("forward" | "rollback" | "verify")[];
}

/** All migrations, newest first: the ledger's, and the folder's that are not applied. Throws `belay_not_installed`. */
export async function listMigrations(belay: Belay, folder?: MigrationFolder): Promise<MigrationRow[]> {
  return withSession(belay, "belay list", async (session) => {
    await requireBelay(session);
    const ledger = await readLedger(session);
    const snapshots = await readSnapshotMoments(session);
    const proofs = await readProofs(session);
    const files = new Map(folder?.migrations.map((migration) => [migration.name, migration]));
    const applied = new Map(ledger.map((row) => [row.name, row]));
    const rows = ledger.map((row) => ledgerRow(row, applied, files.get(row.name), snapshots, proofs));
    const pending = [...files.values()].filter((migration) => !applied.has(migration.name)).map(pendingRow);
    return [...rows, ...pending].sort((a, b) =>
      compareMigrations({ version: b.version, name: b.migration }, { version: a.version, name: a.migration }),
    );
  });
}

function ledgerRow(
  row: LedgerRow,
  ledger: ReadonlyMap<string, LedgerRow>,
  file: Migration | undefined,
  snapshots: ReadonlySet<string>,
  proofs: ReadonlyMap<string, string>,
): MigrationRow {
  const reverses = Array.isArray(row.metadata.reverses) ? (row.metadata.reverses as string[]) : [];
  const together = new Set(reverses);
  const dependents = row.dependents
    .filter((name) => ledger.get(name)?.status !== "rolled_back" && !together.has(name))
    .sort((a, b) => compareMigrations(ledger.get(b)!, ledger.get(a)!));
  const blockingReason = whyNot(row, dependents);
  return {
    migration: row.name,
    version: row.version,
    status: row.status,
    canRollBack: blockingReason === null,
    appliedAt: row.appliedAt,
    hasRollback: row.rollbackSql !== null && !isBlankSql(row.rollbackSql),
    blockingReason,
    dependents,
    reversesToo: reverses.filter((name) => name !== row.name),
    snapshots: { before: snapshots.has(`${row.name} before`), after: snapshots.has(`${row.name} after`) },
    proof: proofs.get(`${row.name} ${row.checksum}`) ?? null,
    drift: file === undefined || row.status === "rolled_back" ? [] : changedParts(file, row),
  };
}

function whyNot(row: LedgerRow, dependents: readonly string[]): string | null {
  if (row.status === "rolled_back") return `already rolled back at ${row.rollbackAt ?? "an unknown time"}`;
  if (row.status === "failed") return "half applied: mend the database, then settle its record with `belay repair`";
  if (row.rollbackSql === null || isBlankSql(row.rollbackSql)) return "no rollback SQL";
  if (dependents.length > 0) return `other migrations depend on it: ${dependents.join(", ")}`;
  return whyNotSql(row);
}

function whyNotSql(row: LedgerRow): string | null {
  const file = String(row.metadata.rollbackFile ?? row.sourceFile);
  try {
    const [refusal] = prepareRollbackSql(row.rollbackSql!, {
      file,
      line: Number(row.metadata.rollbackLine ?? 1),
    }).refusals;
    return refusal === undefined ? null : `${file}:${refusal.line}: ${refusal.reason}`;
  } catch (error) {
    if (isBelayError(error, "sql_syntax")) return error.message.split("\n", 1)[0]!;
    throw error;
  }
}

function pendingRow(migration: Migration): MigrationRow {
  return {
    migration: migration.name,
    version: migration.version,
    status: "pending",
    canRollBack: false,
    appliedAt: null,
    hasRollback: migration.rollback !== null,
    blockingReason: "not applied, or not registered yet (`belay sync`)",
    dependents: [],
    reversesToo: migration.rollback?.reverses.filter((name) => name !== migration.name) ?? [],
    snapshots: { before: false, after: false },
    proof: null,
    drift: [],
  };
}

async function readSnapshotMoments(session: Session): Promise<Set<string>> {
  const rows = await session.sql`
    select distinct migration_name || ' ' || moment as moment from belay.snapshots
    where moment in ('before', 'after') and origin in ('live', 'replayed') and migration_name is not null`;
  return new Set(rows.map((row) => row.moment as string));
}

async function readProofs(session: Session): Promise<Map<string, string>> {
  const rows = await session.sql`
    select distinct on (migration_name, checksum) migration_name || ' ' || checksum as key, verdict
    from belay.proofs order by migration_name, checksum, created_at desc`;
  return new Map(rows.map((row) => [row.key as string, row.verdict as string]));
}
