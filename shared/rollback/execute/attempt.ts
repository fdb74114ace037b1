import { type CatalogWatch, watchCatalog } from "../../catalog/watch.ts";
import { BelayError } from "../../errors.ts";
import { isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { type Account, readAccount, readSequences } from "../guard/account.ts";
import { gatherFacts } from "../plan/facts.ts";
import { rowsAtStake } from "../plan/growth.ts";
import { makePlan } from "../plan/plan.ts";
import { parseWaivers } from "../plan/waivers.ts";
import { makeCopies } from "../preserve/copies.ts";
import { commit } from "../transaction/commit.ts";
import { giveUp } from "../transaction/give-up.ts";
import { recordLockTimes, recordSequences, recordTransaction } from "../transaction/intent.ts";
import type { LockTarget } from "../transaction/locks.ts";
import { readAhead } from "../transaction/read-ahead.ts";
import { withLockTimes } from "../transaction/report.ts";
import type { CriticalSection } from "../transaction/run-sql.ts";
import { lockSequences, restoreSequences } from "../transaction/sequences.ts";
import type { Plan, RollbackReport } from "../types.ts";
import { archiveScope } from "./archive-scope.ts";
import { archiveScoped, discardArchive, type ScopedArchive } from "./archive-step.ts";
import { conclude } from "./conclude.ts";
import { lockWithRetries } from "./lock-step.ts";
import { readPartitions } from "./partitions.ts";
import { checkGrowth, checkPlan } from "./preconditions.ts";
import { goingSequences, runWithRetries } from "./sql-step.ts";
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
  let xid: string | undefined;
  let committed = false;
  try {
    const watch = watchCatalog(session);
    await readAhead(session, attempt.belay.settings, watch);
    const locked = await lockWithRetries(attempt, session, widen);
    xid = await nameTransaction(attempt, session);
    const plan = await replan(attempt, session, locked.targets);
    before = await readBefore(session, watch, plan, widen);
    await attempt.observe("locked");
    archive = await archiveScoped(attempt, session, plan, before);
    await makeCopies(session, plan);
    await attempt.observe("archived");
    latest = { ...before.account, sequences: await readSequences(attempt.control) };
    await recordSequences(attempt.control, attempt.rollbackId, latest);
    const ran = await runWithRetries(attempt, session, plan, before, xid);
    section = ran.section;
    const report = await conclude(attempt, session, plan, before, archive, ran);
    await attempt.observe("guarded");
    await commit(attempt.belay, attempt.rollbackId, session, xid);
    committed = true;
    const timed = withLockTimes(report, { sectionAt: ran.section.startedAt, lockedAt: locked.at });
    await recordLockTimes(attempt.control, timed);
    await attempt.observe("committed");
    return timed;
  } catch (error) {
    section?.stop();
    const open = error instanceof BelayError && error.details.outcome === "unknown";
    if (!committed && !open && (await giveUp(attempt.belay, session, xid)))
      await putBack(attempt, isConnectionLost(error) ? undefined : (latest ?? before?.account), archive).catch(
        () => {},
      );
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

async function readBefore(
  session: Session,
  watch: CatalogWatch,
  plan: Plan,
  widen: ReadonlySet<number>,
): Promise<Before> {
  await lockSequences(session, goingSequences(plan));
  const [at] = await session.sql`select pg_current_snapshot()::text as snapshot`;
  const account = await readAccount(session);
  const catalog = await watch.read();
  const scope = archiveScope(plan, catalog, account, await readPartitions(session), widen);
  return { account, catalog, watch, scope, tracked: await readTracked(session, plan.version), snapshot: at!.snapshot };
}

/** Lifts sequences that setval pushed back (what settles a lost connection does so itself), and removes the archive of what is still there. */
async function putBack(attempt: Attempt, before: Account | undefined, archive: ScopedArchive | null): Promise<void> {
  if (before !== undefined && attempt.control.alive) await restoreSequences(attempt.control, before);
  if (archive !== null) await discardArchive(attempt.belay, archive.manifest);
}
