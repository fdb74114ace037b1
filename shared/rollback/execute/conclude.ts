import { compareCatalogs } from "../../catalog/differences.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { type Account, type RelationAccount, readAccount } from "../guard/account.ts";
import { archiveFlags } from "../guard/archive-flags.ts";
import { judge } from "../guard/guard.ts";
import { lostUnknown } from "../guard/guard-catalog.ts";
import { guardLoss } from "../guard/guard-loss.ts";
import { touchedNewcomers } from "../guard/newcomers.ts";
import { approvalNotes, recordWaivers } from "../plan/waivers.ts";
import { settleKept } from "../preserve/settle-kept.ts";
import { recordCommit } from "../transaction/intent.ts";
import { markRolledBack } from "../transaction/ledger-step.ts";
import { remember } from "../transaction/remembered.ts";
import { rollbackReport } from "../transaction/report.ts";
import { sequencesBehind } from "../transaction/sequences.ts";
import type { Plan, RollbackReport } from "../types.ts";
import { type ArchiveScope, coverageOf } from "./archive-scope.ts";
import { recordArchive, type ScopedArchive } from "./archive-step.ts";
import { runAssertions } from "./assertions.ts";
import { checkEndState, keysOf } from "./end-state.ts";
import { lastLook } from "./last-look.ts";
import { ownAdditions } from "./meanwhile.ts";
import { readSnapshots } from "./migration-snapshots.ts";
import { namesOf, planSubject, unitsOf } from "./run-units.ts";
import type { Ran } from "./sql-step.ts";
import { judgeTracked, ownRowsRemoved, readTracked } from "./tracking-guard.ts";
import type { Attempt, Before } from "./types.ts";

/** Steps 5 and 6: what happened, the end state, and the ledger, all before COMMIT. */
export async function conclude(
  attempt: Attempt,
  session: Session,
  plan: Plan,
  before: Before,
  archive: ScopedArchive | null,
  { attempts, section, setting, came }: Ran,
): Promise<RollbackReport> {
  const { belay } = attempt;
  await attempt.observe("sql");
  belay.report({ phase: "guard", message: "asking the database what really happened" });
  const preserved = await settleKept(session, plan, { rollbackId: attempt.rollbackId, now: belay.now() });
  const account = await readAccount(session, before.account);
  const catalog = await before.watch.read();
  const compared = compareCatalogs(before.catalog, catalog);
  const difference = { ...compared, added: await ownAdditions(session, compared) };
  const tracked = before.tracked;
  const trackedNow = tracked === null ? null : await readTracked(session, plan.version);
  const tolerated = new Set(tracked === null ? [] : [tracked.oid]);
  const versions = plan.migrations.map(({ version }) => version);
  const verdict = judge(
    before.account,
    account,
    difference,
    coverageOf(before.scope, plan, stillThere(tolerated, account)),
  );
  const violations = [
    ...verdict.violations,
    ...lostUnknown(before.catalog.unknown, catalog.unknown),
    ...touchedNewcomers(came, account, catalog),
    ...(tracked === null
      ? []
      : judgeTracked(tracked, trackedNow, { before: before.account, after: account }, versions)),
  ];
  if (violations.length > 0) throw guardLoss(planSubject(plan), violations, archiveFlags(violations, before.catalog));
  await requireSequencesAhead(session, before.account, account, verdict.rewritten);
  const endState = checkEndState(
    planSubject(plan),
    await readSnapshots(session, namesOf(plan), keysOf(difference)),
    catalog,
    difference,
    plan.gates.some(({ name, state }) => name === "end_state" && state === "waived"),
  );
  await runAssertions(session, unitsOf(plan).at(-1)!.migration);
  const remembered = await remember(
    session,
    difference,
    before.account,
    account,
    survivorsOf(before.scope, account),
    setting,
  );
  const archiveId = archive?.manifest.id ?? null;
  if (archive !== null) await recordArchive(session, archive, attempt);
  const change = {
    migration: plan.migration,
    migrations: namesOf(plan),
    rollbackId: attempt.rollbackId,
    actor: belay.actor,
    reason: attempt.request.reason,
    archiveId,
  };
  const removed = tracked === null ? [] : ownRowsRemoved(tracked, trackedNow, versions);
  const ledgerNotes = await markRolledBack(session, change, removed);
  const waivers = await recordWaivers(session, plan, {
    actor: belay.actor,
    subject: belay.subject ?? null,
    reason: attempt.request.reason,
  });
  const report = rollbackReport({
    ...change,
    migrations: plan.migrations.map(({ migration }) => migration),
    kind: "rollback",
    startedAt: attempt.startedAt,
    finishedAt: belay.now(),
    manifest: archive?.manifest ?? null,
    difference,
    attempts,
    criticalSectionMs: section.elapsed(),
    endState: endState.state,
    preserved,
    checklist: plan.checklist,
    notes: [
      ...endState.notes,
      ...attempt.notes,
      ...rewrittenNotes(verdict.rewritten),
      ...waivers,
      ...approvalNotes(plan),
      ...ledgerNotes,
    ],
  });
  await recordCommit(session, report, remembered);
  const more = await lastLook(session, account, tolerated);
  if (more.length > 0) throw guardLoss(planSubject(plan), more);
  section.check();
  section.stop();
  return report;
}

/** A tracking table that the SQL dropped is judged as any other table. */
function stillThere(oids: ReadonlySet<number>, after: Account): Set<number> {
  return new Set([...oids].filter((oid) => after.relations.has(oid)));
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

/** Throws `end_state_differs` when the next insert into a table that was made or rewritten would meet a number in use. */
async function requireSequencesAhead(
  session: Session,
  before: Account,
  after: Account,
  rewritten: readonly RelationAccount[],
): Promise<void> {
  const made = [...after.relations.values()].filter(({ oid, kind }) => kind === "r" && !before.relations.has(oid));
  const behind = await sequencesBehind(
    session,
    [...made, ...rewritten].map(({ oid }) => oid),
  );
  if (behind.length === 0) return;
  throw new BelayError("end_state_differs", `the rollback leaves ${behind.join(", ")}`, {
    hint: "Everything was put back. Set the sequence in the rollback SQL: select setval(...) to the column's maximum.",
    details: { behind },
  });
}
