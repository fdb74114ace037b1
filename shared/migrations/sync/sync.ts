import { readSnapshotCatalog } from "../../catalog/snapshots.ts";
import type { Belay } from "../../context.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { withSession } from "../../with-session.ts";
import { findDrift } from "../drift/drift.ts";
import type { Drift } from "../drift/types.ts";
import { recordDeclared } from "../ledger/declared.ts";
import { type LedgerRow, readLedger } from "../ledger/ledger.ts";
import { type MigrationChange, recordAppliedAgain, recordChange, recordNew } from "../ledger/record.ts";
import { dirtyNote } from "../tracking/tables.ts";
import { inTransaction } from "../transaction.ts";
import type { LayoutProblem, Migration, MigrationFolder, MigrationStatus, TrackingTable } from "../types.ts";
import { type Applied, appliedByTool } from "./applied.ts";
import { latestState, type StoredSnapshot, snapshotOne, storeBaseline } from "./baseline.ts";
import { completeSnapshots } from "./complete-snapshots.ts";
import { type BeforeReport, confirmBefore } from "./confirm-before.ts";
import { recordCounters } from "./counters.ts";
import { type ReplayReport, replayMissing } from "./replay-missing.ts";

export interface SyncOptions {
  /** Name or version: this migration and all before it are applied. For databases without a tracking table. */
  readonly appliedTo?: string;
  /** true: replay even when nothing is new; false: never. Default: when several are new and a scratch server is set. */
  readonly replay?: boolean;
}

/** What a sync did and saw. */
export interface SyncReport {
  readonly registered: readonly { migration: string; version: string; status: MigrationStatus; hasRollback: boolean }[];
  /** In the ledger already, and unchanged. */
  readonly skipped: readonly string[];
  readonly appliedAgain: readonly string[];
  /** Files that the tool has not applied. */
  readonly pending: readonly string[];
  /** The ledger keeps the old text until `belay register NAME --accept`. */
  readonly changed: readonly MigrationChange[];
  /** Left out because of an error of the folder. */
  readonly blocked: readonly string[];
  readonly problems: readonly LayoutProblem[];
  readonly tracking: TrackingTable | null;
  readonly snapshots: readonly StoredSnapshot[];
  readonly replay: ReplayReport;
  /** Of the one migration that was new; null when there was none, or several. */
  readonly before: BeforeReport | null;
  /** What was changed past the migrations; null when some were new, so that it cannot be told apart. */
  readonly drift: Drift | null;
  readonly dependencies: { readonly declared: number; readonly found: number };
  readonly notes: readonly string[];
}

interface Outcome {
  registered: { migration: string; version: string; status: MigrationStatus; hasRollback: boolean }[];
  skipped: string[];
  appliedAgain: string[];
  pending: string[];
  changed: MigrationChange[];
  blocked: string[];
}

/** Brings the ledger in step with the folder and with what the team's tool applied. Throws `usage` when nothing says what is applied. */
export async function syncMigrations(
  belay: Belay,
  folder: MigrationFolder,
  options: SyncOptions = {},
): Promise<SyncReport> {
  return withSession(belay, "belay sync", async (session) => {
    await requireBelay(session);
    const step = await inTransaction(session, "registering migrations", () =>
      register(session, belay, folder, options),
    );
    const isNew = step.outcome.registered.length + step.outcome.appliedAgain.length;
    const replay = await replayMissing(session, belay, { forced: options.replay, newOnes: isNew });
    const alone = isNew === 1 ? step.snapshots.find(({ moment }) => moment === "before") : undefined;
    const before = alone === undefined ? null : await confirmBefore(session, belay, alone.migration, options.replay);
    return {
      ...step.outcome,
      problems: folder.problems,
      tracking: step.applied.tracking?.table ?? null,
      snapshots: [...step.snapshots, ...replay.snapshots],
      replay: replay.report,
      before,
      drift: isNew === 0 ? await findDrift(session) : null,
      dependencies: { declared: step.declared, found: replay.dependencies },
      notes: [...step.completed, ...notesOf(step.applied, step.ledger, folder)],
    };
  });
}

async function register(session: Session, belay: Belay, folder: MigrationFolder, options: SyncOptions) {
  await session.sql`select pg_advisory_xact_lock(hashtextextended('belay.sync', 0))`;
  const completed = await completeSnapshots(session);
  const ledger = await readLedger(session);
  const applied = await appliedByTool(session, folder, ledger, options.appliedTo);
  if (ledger.length === 0 && !folder.migrations.some((migration) => applied.has(migration)))
    await storeBaseline(session);
  const known = await latestState(session);
  const outcome = await recordAll(session, belay, folder, ledger, applied);
  const declared = await recordDeclared(session, folder.directory, folder.migrations);
  const fresh = [...outcome.registered.map((row) => row.migration), ...outcome.appliedAgain];
  await recordCounters(session, fresh);
  const newest = newestOf(folder.migrations, fresh);
  const snapshots =
    newest === null
      ? []
      : await snapshotOne(
          session,
          newest,
          await readSnapshotCatalog(session),
          fresh.length === 1 ? known : null,
          belay.actor,
        );
  return { outcome, applied, ledger, snapshots, declared, completed };
}

async function recordAll(
  session: Session,
  belay: Belay,
  folder: MigrationFolder,
  ledger: readonly LedgerRow[],
  applied: Applied,
): Promise<Outcome> {
  const outcome: Outcome = { registered: [], skipped: [], appliedAgain: [], pending: [], changed: [], blocked: [] };
  const inLedger = new Map(ledger.map((row) => [row.name, row]));
  const broken = brokenFiles(folder);
  for (const migration of folder.migrations) {
    const row = inLedger.get(migration.name);
    if (row === undefined && broken.has(migration.file)) outcome.blocked.push(migration.name);
    else if (row === undefined && applied.has(migration)) {
      const status = applied.isDirty(migration) ? "failed" : "applied";
      await recordNew(session, migration, { status, actor: belay.actor, appliedAt: applied.at(migration) });
      outcome.registered.push({
        migration: migration.name,
        version: migration.version,
        status,
        hasRollback: migration.rollback !== null,
      });
    } else if (row === undefined) outcome.pending.push(migration.name);
    else if ((row.status === "rolled_back" && applied.isAppliedAgain(row)) || isMended(row, applied)) {
      await recordAppliedAgain(session, migration, row, { actor: belay.actor, appliedAt: applied.at(migration) });
      outcome.appliedAgain.push(row.name);
    } else if (row.status === "rolled_back") outcome.pending.push(row.name);
    else {
      const change = await recordChange(session, migration, row, { accept: false, actor: belay.actor });
      if (change === null) outcome.skipped.push(row.name);
      else outcome.changed.push(change);
    }
    belay.report({ phase: "sync", message: migration.name });
  }
  return outcome;
}

/** Half applied by the ledger, and by now applied and not dirty for the tool: someone mended it and told the tool. */
function isMended(row: LedgerRow, applied: Applied): boolean {
  return row.status === "failed" && applied.tracking !== null && applied.has(row) && !applied.isDirty(row);
}

/** Files of migrations that must not be registered as they stand; a live section or a circle is told, but does not hide what is applied. */
function brokenFiles(folder: MigrationFolder): Set<string> {
  const codes = new Set(["duplicate_version", "unterminated_section", "unreadable", "bad_marker", "not_supported"]);
  const found = folder.problems.filter((problem) => problem.severity === "error" && codes.has(problem.code));
  return new Set(found.map((problem) => problem.place.file));
}

function newestOf(migrations: readonly Migration[], names: readonly string[]): string | null {
  return migrations.findLast((migration) => names.includes(migration.name))?.name ?? null;
}

function notesOf(applied: Applied, ledger: readonly LedgerRow[], folder: MigrationFolder): string[] {
  const notes: string[] = [];
  const dirty = applied.tracking === null ? null : dirtyNote(applied.tracking);
  if (dirty !== null) notes.push(dirty);
  const files = new Set(folder.migrations.map((migration) => migration.name));
  for (const row of ledger) {
    if (row.status === "rolled_back") continue;
    if (!files.has(row.name))
      notes.push(`${row.name} is in the ledger, but no longer in ${folder.directory}; its rollback SQL is kept.`);
    if (applied.tracking !== null && !applied.has(row))
      notes.push(
        `${row.name} is applied by the ledger, but ${applied.tracking.table.tool} does not list it: was it rolled back by hand?`,
      );
  }
  return notes;
}
