import { BelayError } from "../../errors.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Account } from "../guard/account.ts";
import type { Plan, RollbackReport } from "../types.ts";

export interface Intent {
  readonly kind: "rollback" | "undo";
  readonly migration: string;
  readonly undoes: string | null;
  readonly planHash: string;
  readonly plan: Plan | Record<string, unknown>;
  readonly reason: string;
  readonly actor: string;
  /** Backend that will do the work: as long as it lives, the outcome is open. */
  readonly backendPid: number;
}

/** Commits the record of what is about to be tried, so that a killed process leaves a trace; answers its id. */
export async function recordIntent(control: Session, intent: Intent): Promise<string> {
  const [row] = await control.sql`
    insert into belay.rollbacks (kind, migration_name, undoes, plan_hash, plan, reason, actor, backend_pid)
    values (${intent.kind}, ${intent.migration}, ${intent.undoes}, ${intent.planHash}, ${control.sql.json(intent.plan as never)},
            ${intent.reason}, ${intent.actor}, ${intent.backendPid})
    returning id`;
  return row!.id;
}

/**
 * Notes the transaction id by which a lost COMMIT is settled. Between two transactions of ours, another command may have
 * settled the record as that of a process that ended.
 */
export async function recordTransaction(control: Session, rollbackId: string, xid: string, pid: number): Promise<void> {
  await control.sql`
    update belay.rollbacks
       set xid = ${xid}, backend_pid = ${pid}, outcome = 'intended', error_code = null, error_message = null, error_hint = null, finished_at = null
     where id = ${rollbackId} and outcome in ('intended', 'failed')`;
}

/** Notes where the sequences stand before the SQL: setval is not undone by ROLLBACK, not even when our process is killed. */
export async function recordSequences(control: Session, rollbackId: string, account: Account): Promise<void> {
  const sequences = [...account.sequences.values()];
  if (sequences.length === 0) return;
  await control.sql`update belay.rollbacks set report = ${control.sql.json({ sequences } as never)} where id = ${rollbackId}`;
}

/** Notes how long the locks were held, which only COMMIT's answer tells; the record stands without it. */
export async function recordLockTimes(
  control: Session,
  { rollbackId, criticalSectionMs, lockedMs = null }: RollbackReport,
): Promise<void> {
  try {
    await control.sql`
      update belay.rollbacks set report = report || ${control.sql.json({ criticalSectionMs, lockedMs })} where id = ${rollbackId}`;
  } catch {
    // It is committed all the same.
  }
}

/** Puts a failure on record; a row whose COMMIT went through is left as it is. */
export async function recordFailure(control: Session, rollbackId: string, error: unknown): Promise<void> {
  const failure = databaseError(error);
  const outcome = failure.details.outcome === "unknown" ? "unknown" : "failed";
  await control.sql`
    update belay.rollbacks
       set outcome = ${outcome}, error_code = ${failure.code}, error_message = ${failure.message},
           error_hint = ${failure.hint ?? null}, finished_at = clock_timestamp()
     where id = ${rollbackId} and outcome in ('intended', 'unknown')`;
}

/** Marks the rollback done inside its own transaction: the mark is there exactly when the rollback is. */
export async function recordCommit(session: Session, report: RollbackReport, remembered: unknown): Promise<void> {
  const { sql } = session;
  const [row] = await sql`
    update belay.rollbacks
       set outcome = 'committed', archive_id = ${report.archiveId}, finished_at = clock_timestamp(),
           report = ${sql.json({ ...report, remembered } as never)}
     where id = ${report.rollbackId} and outcome = 'intended'
    returning id`;
  if (row === undefined)
    throw new BelayError("internal", `the record of rollback ${report.rollbackId} was settled by someone else`, {
      hint: "Look at belay.rollbacks, then run the same command again.",
    });
}
