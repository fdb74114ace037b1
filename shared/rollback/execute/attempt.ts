import { readCatalog } from "../../catalog/read.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { type Account, readAccount, readSequences } from "../guard/account.ts";
import { gatherFacts } from "../plan/facts.ts";
import { rowsAtStake } from "../plan/growth.ts";
import { makePlan } from "../plan/plan.ts";
import { parseWaivers } from "../plan/waivers.ts";
import { commit } from "../transaction/commit.ts";
import { recordSequences, recordTransaction } from "../transaction/intent.ts";
import { backOff, findBlockers, isLockFailure, type LockTarget, lockNotObtained } from "../transaction/locks.ts";
import {
  backToSavepoint,
  type CriticalSection,
  defaultSurroundings,
  rollbackSqlError,
  startCriticalSection,
} from "../transaction/run-sql.ts";
import { lockSequences, restoreSequences } from "../transaction/sequences.ts";
import type { Plan, RollbackReport } from "../types.ts";
import { archiveScope } from "./archive-scope.ts";
import { archiveScoped, discardArchive, type ScopedArchive } from "./archive-step.ts";
import { conclude, type Ran } from "./conclude.ts";
import { lockWithRetries } from "./lock-step.ts";
import { requireNothingMeanwhile } from "./meanwhile.ts";
import { readPartitions } from "./partitions.ts";
import { checkGrowth, checkPlan } from "./preconditions.ts";
import { planSubject, runUnits } from "./run-units.ts";
import { readTracked } from "./tracking-guard.ts";
import type { Attempt, Before } from "./types.ts";

/** One transaction, from the locks to COMMIT; `widen`: oids of tables to archive whole besides what the plan destroys. */
export async function runAttempt(
  attempt: Attempt,
  session: Session,
  widen: ReadonlySet<number>,
): Promise<RollbackReport> {
  let before: Before | undefined;
  let archive: ScopedArchive | null = null;
  let section: CriticalSection | undefined;
  // Others drew numbers while the archive was written.
  let latest: Account | undefined;
  try {
    const locked = await lockWithRetries(attempt, session, widen);
    const xid = await nameTransaction(attempt, session);
    const plan = await replan(attempt, session, locked);
    before = await readBefore(session, plan, widen);
    await attempt.observe("locked");
    archive = await archiveScoped(attempt, session, plan, before);
    await attempt.observe("archived");
    latest = await readAccount(attempt.control);
    await recordSequences(attempt.control, attempt.rollbackId, latest);
    const ran = await runWithRetries(attempt, session, plan, before, xid);
    section = ran.section;
    const report = await conclude(attempt, session, plan, before, archive, ran);
    await attempt.observe("guarded");
    await commit(attempt.belay, attempt.rollbackId, session, xid);
    await attempt.observe("committed");
    return report;
  } catch (error) {
    section?.stop();
    if (!(error instanceof BelayError && error.details.outcome === "unknown"))
      await putBack(attempt, session, latest ?? before?.account, archive);
    throw error;
  }
}

async function nameTransaction(attempt: Attempt, session: Session): Promise<string> {
  const [row] = await session.sql`select pg_current_xact_id()::text as xid`;
  await recordTransaction(attempt.control, attempt.rollbackId, row!.xid, session.pid);
  return row!.xid;
}

/** Plans again under the locks: what was approved must be what would happen now. */
async function replan(attempt: Attempt, session: Session, locked: readonly LockTarget[]): Promise<Plan> {
  const facts = await gatherFacts(session, attempt.belay, attempt.request, {
    ...attempt.request,
    dump: attempt.dump,
  });
  const policy = attempt.request.policy ?? attempt.belay.settings.policy;
  const plan = makePlan(facts, { policy, waive: parseWaivers(attempt.request.waive ?? [], policy) });
  checkPlan(plan, attempt.plan.hash);
  checkGrowth(plan, attempt.request.plannedRows ?? rowsAtStake(attempt.plan.effect), policy);
  const held = new Set(locked.map(({ oid }) => oid));
  const asked = plan.alsoArchived.filter(({ kind }) => kind === "table");
  const missing = [...plan.effect.tables, ...plan.effect.columns, ...asked].find(({ oid }) => !held.has(oid));
  if (missing !== undefined)
    throw new BelayError("plan_changed", `${missing.schema}.${missing.table} was made anew while the rollback began`, {
      hint: "Plan again.",
    });
  return plan;
}

async function readBefore(session: Session, plan: Plan, widen: ReadonlySet<number>): Promise<Before> {
  await lockSequences(session, goingSequences(plan));
  const [at] = await session.sql`select pg_current_snapshot()::text as snapshot`;
  const account = await readAccount(session);
  const catalog = await readCatalog(session);
  const scope = archiveScope(plan, catalog, account, await readPartitions(session), widen);
  return { account, catalog, scope, tracked: await readTracked(session, plan.version), snapshot: at!.snapshot };
}

/** Archived sequences that stay are drawn from until the SQL begins: archiving may take long. Answers where they stand now. */
async function holdWhatStays(session: Session, plan: Plan, { scope }: Before): Promise<Ran["setting"]> {
  const going = new Set(goingSequences(plan));
  const oids = scope.sequences.map(({ oid }) => oid).filter((oid) => !going.has(oid));
  if (oids.length === 0) return new Map();
  await lockSequences(session, oids);
  return readSequences(session, oids);
}

function goingSequences({ effect }: Plan): number[] {
  return effect.sequences.filter(({ stays }) => !stays).map(({ oid }) => oid);
}

/** Runs the SQL in a savepoint; a lock timeout or deadlock goes back to it, keeping table locks and archive. */
async function runWithRetries(attempt: Attempt, session: Session, plan: Plan, before: Before, xid: string) {
  const { belay, control } = attempt;
  const surroundings = await defaultSurroundings(session);
  for (let tries = 1; ; tries++) {
    const section = startCriticalSection(control, session.pid, belay.settings.criticalSectionMs);
    try {
      belay.report({ phase: "sql", message: `running the rollback SQL, attempt ${tries}` });
      await session.run("savepoint belay_sql");
      await requireNothingMeanwhile(session, plan, before);
      const setting = await holdWhatStays(session, plan, before);
      await runUnits(session, belay.settings, plan, surroundings, xid);
      section.check();
      return { section, attempts: tries, setting };
    } catch (error) {
      section.stop();
      if (!isLockFailure(error)) {
        section.check();
        throw error instanceof BelayError ? error : rollbackSqlError(error, plan.migration, plan.sql);
      }
      const oids = plan.locks.map(({ oid }) => oid);
      const blockers = await findBlockers(control, session.pid, oids, true);
      if (tries >= belay.settings.lockAttempts)
        throw lockNotObtained(`what the rollback SQL of ${planSubject(plan)} needs`, tries, blockers, error);
      await backToSavepoint(session);
      await backOff(tries);
    }
  }
}

/** Ends the transaction, lifts sequences that setval pushed back, and removes the archive of what is still there. */
async function putBack(
  attempt: Attempt,
  session: Session,
  before: Account | undefined,
  archive: ScopedArchive | null,
): Promise<void> {
  const ended = await session.run("rollback").then(
    () => true,
    () => false,
  );
  if (!ended) return;
  if (before !== undefined && attempt.control.alive) await restoreSequences(attempt.control, before);
  if (archive !== null) await discardArchive(attempt.belay.store, archive.manifest);
}
