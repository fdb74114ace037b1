import { compareCatalogs } from "../catalog/differences.ts";
import { qualified } from "../catalog/identifiers.ts";
import { readCatalog } from "../catalog/read.ts";
import type { Catalog } from "../catalog/types.ts";
import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import type { MigrationFolder } from "../migrations/types.ts";
import type { Session } from "../postgres/session.ts";
import { type Account, type RelationAccount, readAccount } from "./account.ts";
import { type ArchiveScope, archiveScope, coverageOf } from "./archive-scope.ts";
import { archiveScoped, discardArchive, recordArchive, type ScopedArchive } from "./archive-step.ts";
import { runAssertions } from "./assertions.ts";
import { checkEndState } from "./end-state.ts";
import { gatherFacts } from "./facts.ts";
import { judge } from "./guard.ts";
import { guardLoss } from "./guard-loss.ts";
import { recordCommit, recordTransaction } from "./intent.ts";
import { markRolledBack, trackingTable } from "./ledger-step.ts";
import {
  backOff,
  findBlockers,
  isLockFailure,
  type LockTarget,
  lockNotObtained,
  lockTables,
  takeAdvisoryLock,
} from "./locks.ts";
import { readSnapshots } from "./migration-snapshots.ts";
import { readPartitions } from "./partitions.ts";
import { makePlan } from "./plan.ts";
import type { Policy } from "./policy.ts";
import { checkPlan } from "./preconditions.ts";
import { remember } from "./remembered.ts";
import { rollbackReport } from "./report.ts";
import {
  backToSavepoint,
  type CriticalSection,
  defaultSurroundings,
  resetSurroundings,
  rollbackSqlError,
  runRollbackSql,
  startCriticalSection,
} from "./run-sql.ts";
import { restoreSequences } from "./sequences.ts";
import { outcomeUnknown, settleTransaction } from "./settle.ts";
import { beginLimited } from "./timeouts.ts";
import type { Plan, RollbackReport } from "./types.ts";

/** Points at which a test may look on or stop the process. */
export type Observe = (point: "intent" | "locked" | "archived" | "sql" | "committed") => void | Promise<void>;

export interface Attempt {
  readonly belay: Belay;
  /** Session apart from the transaction: for the record, and to cancel. */
  readonly control: Session;
  readonly rollbackId: string;
  readonly plan: Plan;
  readonly request: { readonly reason: string; readonly folder?: MigrationFolder | null; readonly policy?: Policy };
  readonly observe: Observe;
  readonly startedAt: Date;
}

/** The database as it is under the locks, before the rollback SQL. */
export interface Before {
  readonly account: Account;
  readonly catalog: Catalog;
  readonly scope: ArchiveScope;
}

/** One transaction, from the locks to COMMIT; `widen`: oids of tables to archive whole besides what the plan destroys. */
export async function runAttempt(
  attempt: Attempt,
  session: Session,
  widen: ReadonlySet<number>,
): Promise<RollbackReport> {
  let before: Before | undefined;
  let archive: ScopedArchive | null = null;
  let section: CriticalSection | undefined;
  try {
    const locked = await lockWithRetries(attempt, session, widen);
    const xid = await nameTransaction(attempt, session);
    const plan = await replan(attempt, session, locked);
    before = await readBefore(session, plan, widen);
    await attempt.observe("locked");
    archive = await archiveScoped(attempt, session, plan, before);
    await attempt.observe("archived");
    const ran = await runWithRetries(attempt, session, plan);
    section = ran.section;
    const report = await conclude(attempt, session, plan, before, archive, ran.attempts, section);
    await commit(attempt, session, xid);
    await attempt.observe("committed");
    return report;
  } catch (error) {
    section?.stop();
    if (!(error instanceof BelayError && error.details.outcome === "unknown"))
      await putBack(attempt, session, before, archive);
    throw error;
  }
}

/** Advisory lock, then the tables that lose or change rows; bounded attempts, each a new transaction with its limits. */
async function lockWithRetries(attempt: Attempt, session: Session, widen: ReadonlySet<number>): Promise<LockTarget[]> {
  const { settings } = attempt.belay;
  const targets = await lockTargets(session, attempt.plan, widen);
  for (let tries = 1; ; tries++) {
    try {
      await beginLimited(session, settings);
      await takeAdvisoryLock(session);
      await lockTables(session, targets);
      return targets;
    } catch (error) {
      if (!isLockFailure(error) || error instanceof BelayError) throw error;
      const oids = targets.map(({ oid }) => oid);
      const blockers = await findBlockers(attempt.control, session.pid, oids, false);
      await session.run("rollback");
      if (tries >= settings.lockAttempts)
        throw lockNotObtained(
          targets.map(({ schema, table }) => `${schema}.${table}`).join(", "),
          tries,
          blockers,
          error,
        );
      attempt.belay.report({
        phase: "lock",
        message: `waiting for locks, attempt ${tries} of ${settings.lockAttempts}`,
      });
      await backOff(tries);
    }
  }
}

async function lockTargets(session: Session, plan: Plan, widen: ReadonlySet<number>): Promise<LockTarget[]> {
  const oids = [...plan.effect.tables.map(({ oid }) => oid), ...plan.effect.columns.map(({ oid }) => oid), ...widen];
  const rows = await session.sql`
    select c.oid::int8::text as oid, n.nspname as schema, c.relname as table
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${oids.map(String)}::text[]::oid[]) and c.relkind in ('r', 'p')`;
  return rows.map((row) => ({ oid: Number(row.oid), schema: row.schema, table: row.table }));
}

async function nameTransaction(attempt: Attempt, session: Session): Promise<string> {
  const [row] = await session.sql`select pg_current_xact_id()::text as xid`;
  await recordTransaction(attempt.control, attempt.rollbackId, row!.xid, session.pid);
  return row!.xid;
}

/** Plans again under the locks: what was approved must be what would happen now. */
async function replan(attempt: Attempt, session: Session, locked: readonly LockTarget[]): Promise<Plan> {
  const facts = await gatherFacts(session, attempt.belay, attempt.plan.migration, attempt.request);
  const plan = makePlan(facts, { policy: attempt.request.policy });
  checkPlan(plan, attempt.plan.hash);
  const held = new Set(locked.map(({ oid }) => oid));
  const missing = [...plan.effect.tables, ...plan.effect.columns].find(({ oid }) => !held.has(oid));
  if (missing !== undefined)
    throw new BelayError("plan_changed", `${missing.schema}.${missing.table} was made anew while the rollback began`, {
      hint: "Plan again.",
    });
  return plan;
}

async function readBefore(session: Session, plan: Plan, widen: ReadonlySet<number>): Promise<Before> {
  const account = await readAccount(session);
  const catalog = await readCatalog(session);
  const scope = archiveScope(plan, catalog, account, await readPartitions(session), widen);
  return { account, catalog, scope };
}

/** Runs the SQL in a savepoint; a lock timeout or deadlock goes back to it, keeping table locks and archive. */
async function runWithRetries(attempt: Attempt, session: Session, plan: Plan) {
  const { belay, control } = attempt;
  const surroundings = await defaultSurroundings(session);
  for (let tries = 1; ; tries++) {
    const section = startCriticalSection(control, session.pid, belay.settings.criticalSectionMs);
    try {
      belay.report({ phase: "sql", message: `running the rollback SQL, attempt ${tries}` });
      await runRollbackSql(session, plan.sql, surroundings);
      await resetSurroundings(session, belay.settings);
      section.check();
      return { section, attempts: tries };
    } catch (error) {
      section.stop();
      if (!isLockFailure(error)) {
        section.check();
        throw error instanceof BelayError ? error : rollbackSqlError(error, plan.migration, plan.sql);
      }
      const oids = plan.locks.map(({ oid }) => oid);
      const blockers = await findBlockers(control, session.pid, oids, true);
      if (tries >= belay.settings.lockAttempts)
        throw lockNotObtained(`what the rollback SQL of ${plan.migration} needs`, tries, blockers, error);
      await backToSavepoint(session);
      await backOff(tries);
    }
  }
}

/** Steps 5 and 6: what happened, the end state, and the ledger, all before COMMIT. */
async function conclude(
  attempt: Attempt,
  session: Session,
  plan: Plan,
  before: Before,
  archive: ScopedArchive | null,
  attempts: number,
  section: CriticalSection,
): Promise<RollbackReport> {
  const { belay } = attempt;
  await attempt.observe("sql");
  belay.report({ phase: "guard", message: "asking the database what really happened" });
  const account = await readAccount(session);
  const catalog = await readCatalog(session);
  const difference = compareCatalogs(before.catalog, catalog);
  const tolerated = await trackingOid(session, plan.version);
  const verdict = judge(before.account, account, difference, coverageOf(before.scope, plan, tolerated));
  if (verdict.violations.length > 0) throw guardLoss(plan.migration, verdict.violations);
  const endState = checkEndState(plan.migration, await readSnapshots(session, plan.migration), catalog, difference);
  await runAssertions(session, plan.migration);
  const remembered = await remember(session, difference, before.account, account, survivorsOf(before.scope, account));
  const archiveId = archive?.manifest.id ?? null;
  if (archive !== null) await recordArchive(session, archive, attempt);
  const change = {
    migration: plan.migration,
    rollbackId: attempt.rollbackId,
    actor: belay.actor,
    reason: attempt.request.reason,
    archiveId,
  };
  const ledgerNotes = await markRolledBack(session, change);
  const report = rollbackReport({
    ...change,
    kind: "rollback",
    startedAt: attempt.startedAt,
    finishedAt: belay.now(),
    manifest: archive?.manifest ?? null,
    difference,
    attempts,
    criticalSectionMs: section.elapsed(),
    endState: endState.state,
    notes: [...endState.notes, ...rewrittenNotes(verdict.rewritten), ...ledgerNotes],
  });
  await recordCommit(session, report, remembered);
  section.check();
  section.stop();
  return report;
}

/** COMMIT; when its answer is lost, the server is asked what became of it. */
async function commit(attempt: Attempt, session: Session, xid: string): Promise<void> {
  try {
    await session.run("commit");
  } catch (error) {
    if (session.alive) throw error;
    const asker = await attempt.belay.openSession({ applicationName: "belay control" }).catch(() => null);
    const settled = asker === null ? "unknown" : await settleTransaction(asker, xid).finally(() => asker.close());
    if (settled === "committed") return;
    if (settled === "failed") throw error;
    throw outcomeUnknown(attempt.rollbackId, error);
  }
}

/** Ends the transaction, lifts sequences that setval pushed back, and removes the archive of what is still there. */
async function putBack(
  attempt: Attempt,
  session: Session,
  before: Before | undefined,
  archive: ScopedArchive | null,
): Promise<void> {
  const ended = await session.run("rollback").then(
    () => true,
    () => false,
  );
  if (!ended) return;
  if (before !== undefined && attempt.control.alive) await restoreSequences(attempt.control, before.account);
  if (archive !== null) await discardArchive(attempt.belay.store, archive.manifest);
}

async function trackingOid(session: Session, version: string): Promise<Set<number>> {
  const table = await trackingTable(session, version);
  if (table === null) return new Set();
  const [row] = await session.sql`select ${qualified(table.schema, table.table)}::regclass::oid::int8::text as oid`;
  return new Set([Number(row!.oid)]);
}

/** Tables that the archive holds whole and that live on: undo puts them back whole. */
function survivorsOf(scope: ArchiveScope, after: Account): RelationAccount[] {
  return scope.tables.flatMap(({ oid }) => after.relations.get(oid) ?? []);
}

function rewrittenNotes(rewritten: readonly RelationAccount[]): string[] {
  return rewritten.map(
    ({ schema, name }) => `rows of ${schema}.${name} changed in place; the archive holds the whole table`,
  );
}
