import { compareCatalogs } from "../../catalog/differences.ts";
import { readCatalog } from "../../catalog/read.ts";
import type { Catalog } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { type RelationAccount, readAccount } from "../guard/account.ts";
import { commit } from "../transaction/commit.ts";
import { recordCommit, recordTransaction } from "../transaction/intent.ts";
import { markAppliedAgain } from "../transaction/ledger-step.ts";
import { isLockFailure, takeAdvisoryLock } from "../transaction/locks.ts";
import { rollbackReport } from "../transaction/report.ts";
import { restoreSequences } from "../transaction/sequences.ts";
import { type TableState, tableState } from "../transaction/table-state.ts";
import { beginLimited } from "../transaction/timeouts.ts";
import type { RollbackReport } from "../types.ts";
import { asOfNow } from "./as-of-now.ts";
import { checkUndo, namesBack } from "./check.ts";
import { requireNoConflict, writtenAnew } from "./conflicts.ts";
import { withoutMade } from "./made-columns.ts";
import { limitTime } from "./time.ts";
import type { UndoAttempt, Undoable, UndoBefore, Way } from "./types.ts";

/** What one transaction came to: committed, or put back because the way did not lead to the catalog of before. */
export type Tried = { readonly report: RollbackReport } | { readonly failed: string };

/** One transaction: locks, conflicts, one way to put things back, the checks, then the ledger. */
export async function tryWay(asked: UndoAttempt, way: Way, tries: number): Promise<Tried> {
  const { session, belay } = asked;
  let attempt = asked;
  let before: UndoBefore | undefined;
  const limit = limitTime(attempt.control, session.pid, belay.settings.statementTimeoutMs);
  try {
    await beginLimited(session, belay.settings);
    await takeAdvisoryLock(session);
    const [row] = await session.sql`select pg_current_xact_id()::text as xid`;
    await recordTransaction(attempt.control, attempt.undoId, row!.xid, session.pid);
    await requireStillUndoable(session, attempt.undoable);
    const catalog = await readCatalog(session);
    attempt = {
      ...asked,
      undoable: { ...asked.undoable, remembered: asOfNow(asked.undoable.remembered, catalog.entries) },
    };
    before = await readUnderLocks(attempt, catalog);
    await attempt.observe("locked");
    const started = performance.now();
    const notes = await putBack(attempt, way, before);
    if (typeof notes === "string") {
      await endTransaction(attempt, before);
      return { failed: `${way.name}: ${notes}` };
    }
    const report = await conclude(attempt, before, notes, tries, performance.now() - started);
    await recordCommit(session, report, null);
    limit.check();
    limit.stop();
    await attempt.observe("guarded");
    await commit(belay, attempt.undoId, session, row!.xid);
    await attempt.observe("committed");
    return { report };
  } catch (error) {
    if (error instanceof BelayError && error.details.outcome === "unknown") throw error;
    await endTransaction(attempt, before);
    limit.check();
    throw error;
  } finally {
    limit.stop();
  }
}

async function readUnderLocks({ session, undoable }: UndoAttempt, catalog: Catalog): Promise<UndoBefore> {
  const found = { catalog, account: await readAccount(session), merged: [] };
  await requireNoConflict(session, undoable, found);
  return { ...found, merged: await statesOf(session, undoable, await writtenAnew(session, undoable, found)) };
}

/** Notes when the way led to the catalog of before, or why it did not. Throws what would fail on every way. */
async function putBack(attempt: UndoAttempt, way: Way, before: UndoBefore): Promise<string[] | string> {
  try {
    attempt.belay.report({ phase: "undo", message: `putting the schema back ${way.name}` });
    const loaded = await way.run(attempt, before);
    return [`schema put back ${way.name}`, ...(await checkUndo(attempt, before, loaded))];
  } catch (error) {
    const elsewhere = error instanceof BelayError && error.code.startsWith("store_");
    if (!attempt.session.alive || elsewhere || isLockFailure(error)) throw error;
    return (error as Error).message;
  }
}

async function conclude(
  attempt: UndoAttempt,
  before: UndoBefore,
  notes: readonly string[],
  attempts: number,
  criticalSectionMs: number,
): Promise<RollbackReport> {
  const { session, belay, undoable } = attempt;
  const after = await readCatalog(session);
  const ledgerNotes = await markAppliedAgain(session, {
    migration: undoable.migration,
    migrations: undoable.migrations,
    rollbackId: attempt.undoId,
    actor: belay.actor,
    reason: attempt.reason,
    archiveId: undoable.manifest?.id ?? null,
  });
  await session.sql`update belay.rollbacks set outcome = 'undone' where id = ${undoable.rollbackId}`;
  return rollbackReport({
    rollbackId: attempt.undoId,
    kind: "undo",
    migration: undoable.migration,
    migrations: undoable.migrations,
    actor: belay.actor,
    reason: attempt.reason,
    startedAt: attempt.startedAt,
    finishedAt: belay.now(),
    manifest: undoable.manifest,
    difference: compareCatalogs(before.catalog, after),
    attempts,
    criticalSectionMs,
    endState: "as_before",
    notes: [...notes, ...ledgerNotes],
  });
}

/** setval is not undone by ROLLBACK: sequences that fell back are lifted again. */
async function endTransaction({ session, control }: UndoAttempt, before: UndoBefore | undefined): Promise<void> {
  await session.run("rollback").catch(() => {});
  if (before !== undefined && control.alive) await restoreSequences(control, before.account);
}

async function requireStillUndoable(session: Session, undoable: Undoable): Promise<void> {
  const [row] = await session.sql`select outcome from belay.rollbacks where id = ${undoable.rollbackId} for update`;
  const standing = await session.sql`
    select migration_name as name, status from belay.migration_history
     where migration_name = any(${[...undoable.migrations]}::text[]) and status <> 'rolled_back' order by 1`;
  const [other] = standing;
  if (row!.outcome === "committed" && other === undefined) return;
  throw new BelayError(
    "undo_conflict",
    `${other?.name ?? undoable.migration} is ${other?.status ?? row!.outcome}: its rollback cannot be undone now`,
    {
      hint: "Look at `belay status`; only the last rollback of a migration can be undone, once.",
    },
  );
}

/** A digest goes by the columns' names in order: where names change, each column is digested alone. */
async function statesOf(session: Session, undoable: Undoable, relations: readonly RelationAccount[]) {
  const states: TableState[] = [];
  for (const found of relations) {
    const relation = withoutMade(undoable.remembered, found);
    const whole = namesBack(undoable.remembered, relation.schema, relation.name).size === 0;
    const parts = whole ? [relation] : relation.columns.map((column) => ({ ...relation, columns: [column] }));
    for (const part of parts) states.push(await tableState(session, part));
  }
  return states;
}
