import { readSnapshotCatalog } from "../../catalog/snapshots.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { withSession } from "../../with-session.ts";
import { resolveName } from "../resolve.ts";
import { latestState, type StoredSnapshot, snapshotOne } from "../sync/baseline.ts";
import { replayMissing } from "../sync/replay-missing.ts";
import { appliedAtOf, isTracked, readTracking } from "../tracking/tables.ts";
import { inTransaction } from "../transaction.ts";
import type { Migration, MigrationFolder } from "../types.ts";
import { recordDeclared } from "./declared.ts";
import { readLedger } from "./ledger.ts";
import { type MigrationChange, recordAppliedAgain, recordChange, recordNew } from "./record.ts";

export interface RegisterOptions {
  /** Lets the ledger follow changed files, as a new revision. */
  readonly acceptRevision?: boolean;
}

/** What registering one migration did. */
export interface RegisterReport {
  readonly migration: string;
  /** `changed`: the files differ from the ledger, which keeps the old text until the revision is accepted. */
  readonly outcome: "registered" | "applied_again" | "unchanged" | "revised" | "changed";
  readonly hasRollback: boolean;
  readonly change: MigrationChange | null;
  readonly snapshots: readonly StoredSnapshot[];
}

/**
 * Registers one applied migration with its rollback SQL. Throws `unknown_migration`, `layout_invalid` when the folder
 * has an error in its file, `usage` when the team's tool says that it is not applied.
 */
export async function registerMigration(
  belay: Belay,
  folder: MigrationFolder,
  name: string,
  options: RegisterOptions = {},
): Promise<RegisterReport> {
  const migration = findInFolder(folder, name);
  refuseBroken(folder, migration);
  return withSession(belay, "belay register", async (session) => {
    await requireBelay(session);
    const report = await inTransaction(session, `registering ${migration.name}`, () =>
      register(session, belay, folder.directory, migration, options),
    );
    if (report.outcome === "registered") await replayMissing(session, belay, { forced: false, newOnes: 1 });
    return report;
  });
}

/** A folder's migration by name, file name or version; throws `unknown_migration`. */
export function findInFolder(folder: MigrationFolder, written: string): Migration {
  const name = written === "latest" ? folder.migrations.at(-1)?.name : resolveName(written, folder.migrations);
  const found = folder.migrations.find((migration) => migration.name === name);
  if (found !== undefined) return found;
  throw new BelayError("unknown_migration", `migration ${written} is not in ${folder.directory}`, {
    hint: "Give its name, file name or version; --migrations DIR names another folder.",
    details: { migration: written, directory: folder.directory },
  });
}

async function register(
  session: Session,
  belay: Belay,
  directory: string,
  migration: Migration,
  options: RegisterOptions,
): Promise<RegisterReport> {
  await session.sql`select pg_advisory_xact_lock(hashtextextended('belay.sync', 0))`;
  const row = (await readLedger(session)).find((one) => one.name === migration.name);
  const base = { migration: migration.name, hasRollback: migration.rollback !== null, change: null, snapshots: [] };
  if (row !== undefined && row.status !== "rolled_back") {
    const accept = options.acceptRevision === true;
    const change = await recordChange(session, migration, row, { accept, actor: belay.actor });
    await recordDeclared(session, directory, [migration]);
    if (change === null) return { ...base, outcome: "unchanged" };
    return {
      ...base,
      outcome: accept ? "revised" : "changed",
      change,
      hasRollback: accept ? base.hasRollback : row.rollbackSql !== null,
    };
  }
  const appliedAt = await refusePending(session, migration);
  const known = await latestState(session);
  const facts = { status: "applied" as const, actor: belay.actor, appliedAt };
  if (row === undefined) await recordNew(session, migration, facts);
  else await recordAppliedAgain(session, migration, row, facts);
  await recordDeclared(session, directory, [migration]);
  const snapshots = await snapshotOne(session, migration.name, await readSnapshotCatalog(session), known, belay.actor);
  return { ...base, outcome: row === undefined ? "registered" : "applied_again", snapshots };
}

/** When the team's tool applied it; null when the tool does not say. Throws when the tool has not applied it. */
async function refusePending(session: Session, migration: Migration): Promise<string | null> {
  const tracking = await readTracking(session, [migration.version]);
  if (tracking === null) return null;
  if (isTracked(tracking, migration.version, migration.name)) return appliedAtOf(tracking, migration.version);
  throw new BelayError(
    "usage",
    `${migration.name} is not applied: ${tracking.table.tool} does not list version ${migration.version}`,
    {
      hint: "Apply it with that tool, then register it.",
      details: { migration: migration.name },
    },
  );
}

function refuseBroken(folder: MigrationFolder, migration: Migration): void {
  const codes = [
    "duplicate_version",
    "unterminated_section",
    "unreadable",
    "bad_marker",
    "not_supported",
    "unknown_dependency",
    "cycle",
  ];
  const problem = folder.problems.find(
    (one) => one.severity === "error" && codes.includes(one.code) && one.place.file === migration.file,
  );
  if (problem === undefined) return;
  throw new BelayError("layout_invalid", `${problem.place.file}:${problem.place.line}: ${problem.message}`, {
    hint: "Mend the file, then register it.",
    details: { code: problem.code, ...problem.place },
  });
}
