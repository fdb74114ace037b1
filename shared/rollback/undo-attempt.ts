import { compareCatalogs } from "../catalog/differences.ts";
import { readCatalog } from "../catalog/read.ts";
import type { Catalog } from "../catalog/types.ts";
import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import { readLedgerMigration } from "../migrations/ledger.ts";
import type { Session } from "../postgres/session.ts";
import { type Account, type RelationAccount, readAccount } from "./account.ts";
import { commit } from "./commit.ts";
import { recordCommit, recordTransaction } from "./intent.ts";
import { markAppliedAgain } from "./ledger-step.ts";
import { takeAdvisoryLock } from "./locks.ts";
import { rollbackReport } from "./report.ts";
import { restoreSequences } from "./sequences.ts";
import { type TableState, tableState } from "./table-state.ts";
import { beginLimited } from "./timeouts.ts";
import type { RollbackReport } from "./types.ts";
import type { Undoable } from "./undo.ts";
import { checkUndo, namesBack } from "./undo-check.ts";
import { mergeTargets, requireNoConflict } from "./undo-conflicts.ts";
import { entriesWay, forwardWay, type Way } from "./undo-ways.ts";

export interface UndoAttempt {
  readonly belay: Belay;
  readonly control: Session;
  readonly session: Session;
  readonly undoable: Undoable;
  readonly undoId: string;
  readonly reason: string;
  readonly startedAt: Date;
}

/** The database as the undo finds it, under its locks. */
export interface UndoBefore {
  readonly catalog: Catalog;
  readonly account: Account;
  /** Tables that get columns merged: their other columns must come out of it equal. */
  readonly merged: readonly TableState[];
}

/** One transaction: conflicts, then the first way that ends at the catalog of before the rollback, then the ledger. */
export async function runUndo(attempt: UndoAttempt): Promise<RollbackReport> {
  const { session, belay, undoable } = attempt;
  let before: UndoBefore | undefined;
  try {
    await beginLimited(session, belay.settings);
    await takeAdvisoryLock(session);
    const [row] = await session.sql`select pg_current_xact_id()::text as xid`;
    await recordTransaction(attempt.control, attempt.undoId, row!.xid, session.pid);
    await requireStillUndoable(session, undoable);
    const catalog = await readCatalog(session);
    const account = await readAccount(session);
    before = { catalog, account, merged: [] };
    await requireNoConflict(session, undoable, before);
    before = { ...before, merged: await statesOf(session, undoable, mergeTargets(undoable, before)) };
    const started = performance.now();
    const notes = await firstWayThatFits(attempt, before);
    const after = await readCatalog(session);
    const ledgerNotes = await markAppliedAgain(session, {
      migration: undoable.migration,
      rollbackId: attempt.undoId,
      actor: belay.actor,
      reason: attempt.reason,
      archiveId: undoable.manifest?.id ?? null,
    });
    await session.sql`update belay.rollbacks set outcome = 'undone' where id = ${undoable.rollbackId}`;
    const report = rollbackReport({
      rollbackId: attempt.undoId,
      kind: "undo",
      migration: undoable.migration,
      actor: belay.actor,
      reason: attempt.reason,
      startedAt: attempt.startedAt,
      finishedAt: belay.now(),
      manifest: undoable.manifest,
      difference: compareCatalogs(catalog, after),
      attempts: 1,
      criticalSectionMs: performance.now() - started,
      endState: "as_before",
      notes: [...notes, ...ledgerNotes],
    });
    await recordCommit(session, report, null);
    await commit(belay, attempt.undoId, session, row!.xid);
    return report;
  } catch (error) {
    if (error instanceof BelayError && error.details.outcome === "unknown") throw error;
    await session.run("rollback").catch(() => {});
    if (before !== undefined && attempt.control.alive) await restoreSequences(attempt.control, before.account);
    throw error;
  }
}

async function requireStillUndoable(session: Session, undoable: Undoable): Promise<void> {
  const [row] = await session.sql`select outcome from belay.rollbacks where id = ${undoable.rollbackId} for update`;
  const migration = await readLedgerMigration(session, undoable.migration);
  if (row!.outcome === "committed" && migration.status === "rolled_back") return;
  throw new BelayError(
    "undo_conflict",
    `${undoable.migration} is ${migration.status}: its rollback cannot be undone now`,
    {
      hint: "Look at `belay status`; only the last rollback of a migration can be undone, once.",
    },
  );
}

/** Tries each way in a savepoint; what the first failures said is kept for the error when none fits. */
async function firstWayThatFits(attempt: UndoAttempt, before: UndoBefore): Promise<string[]> {
  const { session } = attempt;
  const ways: Way[] = [forwardWay, entriesWay];
  const reasons: string[] = [];
  for (const way of ways) {
    await session.run("savepoint belay_undo");
    try {
      attempt.belay.report({ phase: "undo", message: `putting the schema back ${way.name}` });
      const loaded = await way.run(attempt, before);
      return [`schema put back ${way.name}`, ...(await checkUndo(attempt, before, loaded))];
    } catch (error) {
      if (!session.alive || (error instanceof BelayError && error.code.startsWith("store_"))) throw error;
      reasons.push(`${way.name}: ${(error as Error).message}`);
      await session.run("rollback to savepoint belay_undo");
    }
  }
  throw new BelayError(
    "undo_conflict",
    `the rollback of ${attempt.undoable.migration} could not be undone: ${reasons.join("; ")}`,
    {
      hint: "Nothing changed. The archive restores with pg_restore; its manifest says how side tables merge.",
      details: { reasons, archiveId: attempt.undoable.manifest?.id ?? null },
    },
  );
}

/** A digest goes by the columns' names in order: where names change, each column is digested alone. */
async function statesOf(session: Session, undoable: Undoable, relations: readonly RelationAccount[]) {
  const states: TableState[] = [];
  for (const relation of relations) {
    const whole = namesBack(undoable.remembered, relation.schema, relation.name).size === 0;
    const parts = whole ? [relation] : relation.columns.map((column) => ({ ...relation, columns: [column] }));
    for (const part of parts) states.push(await tableState(session, part));
  }
  return states;
}
