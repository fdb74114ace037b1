import { appendAudit } from "../../audit.ts";
import { compareCatalogs } from "../../catalog/differences.ts";
import { qualified } from "../../catalog/identifiers.ts";
import { readLedger } from "../../migrations/ledger/ledger.ts";
import { keptTracking } from "../../migrations/tracking/rows.ts";
import type { Session } from "../../postgres/session.ts";
import { listed } from "../../words.ts";
import { recordArchive, type ScopedArchive } from "../execute/archive-step.ts";
import { lastLook } from "../execute/last-look.ts";
import { readAccount } from "../guard/account.ts";
import { guardLoss } from "../guard/guard-loss.ts";
import { approvalNotes, recordWaivers } from "../plan/waivers.ts";
import { recordCommit } from "../transaction/intent.ts";
import { type LedgerChange, markAppliedAgain, trackingTable } from "../transaction/ledger-step.ts";
import { rollbackReport } from "../transaction/report.ts";
import type { Plan, RollbackReport } from "../types.ts";
import { undoSubject } from "./make-plan.ts";
import type { PutBack } from "./tries.ts";
import type { UndoBefore, UndoRun } from "./types.ts";
import type { UndoFacts } from "./undo-facts.ts";

export interface Concluding {
  readonly run: UndoRun;
  readonly session: Session;
  readonly facts: UndoFacts;
  readonly before: UndoBefore;
  /** What the undo replaced. */
  readonly archive: ScopedArchive | null;
  readonly done: PutBack;
  /** Since when others wait, by performance.now(). */
  readonly lockedAt: number | null;
}

/** Ledger, tracking table, record and audit of an undo that went well, in its own transaction; then the last look. */
export async function concludeUndo(concluding: Concluding): Promise<RollbackReport> {
  const { run, session, archive } = concluding;
  const { belay, plan, request } = run;
  const judged = await readAccount(session);
  const tolerated = await trackingOids(session, plan.migrations);
  const change: LedgerChange = {
    migration: plan.migration,
    migrations: plan.migrations,
    rollbackId: run.undoId,
    actor: belay.actor,
    reason: request.reason,
    archiveId: archive?.manifest.id ?? null,
  };
  const ledgerNotes = plan.only.length > 0 ? await notePart(session, run, change) : await settle(session, run, change);
  if (archive !== null) await recordArchive(session, archive, { belay, rollbackId: run.undoId, request });
  const by = { actor: belay.actor, subject: belay.subject ?? null, reason: request.reason };
  const waivers = await recordWaivers(session, waived(concluding), by);
  const notes = [
    ...concluding.done.notes,
    ...standingNotes(concluding),
    ...waivers,
    ...approvals(concluding),
    ...ledgerNotes,
  ];
  const report = reportOf(concluding, compareCatalogs(concluding.before.catalog, concluding.done.catalog), notes);
  await recordCommit(session, report, null);
  const more = await lastLook(session, judged, tolerated);
  if (more.length > 0) throw guardLoss(undoSubject(plan), more);
  return report;
}

async function settle(session: Session, run: UndoRun, change: LedgerChange): Promise<string[]> {
  const notes = await markAppliedAgain(session, change);
  await session.sql`update belay.rollbacks set outcome = 'undone' where id = ${run.found.rollbackId}`;
  return notes;
}

/** Some tables are back: the migration stays rolled back, and the rollback can still be undone as a whole. */
async function notePart(session: Session, { plan, found }: UndoRun, change: LedgerChange): Promise<string[]> {
  await appendAudit(session, {
    actor: change.actor,
    action: "undo.tables",
    subject: change.migration,
    details: {
      rollbackId: change.rollbackId,
      undoes: found.rollbackId,
      tables: plan.only,
      archiveId: change.archiveId,
      reason: change.reason,
    },
  });
  return [
    `${listed(plan.migrations)} stays rolled back: the migration tool would apply it again, and meet ${listed(plan.only)}.`,
    `To put the rest back: belay undo ${found.rollbackId}`,
  ];
}

function standingNotes({ facts }: Concluding): string[] {
  return [
    ...facts.leftOut.map((what) => `left out: ${what}`),
    ...(facts.present.length === 0 ? [] : [`there already as before the rollback: ${listed(facts.present)}`]),
    ...facts.conflicts.filter(({ discarded }) => discarded).map(({ what }) => `discarded, and archived: ${what}`),
  ];
}

/** The gates as they were judged when it began; a rollback's record of waivers takes them alike. */
function waived({ run }: Concluding): Pick<Plan, "gates" | "hash" | "migration" | "effect"> {
  const { gates, hash, migration, replaces } = run.plan;
  const effect = { tables: replaces.tables, columns: [] };
  return { gates, hash, migration, effect } as unknown as Pick<Plan, "gates" | "hash" | "migration" | "effect">;
}

function approvals(concluding: Concluding): string[] {
  return approvalNotes(waived(concluding));
}

/** Tables of the team's tool, in which Belay itself puts rows back. */
async function trackingOids(session: Session, migrations: readonly string[]): Promise<Set<number>> {
  const names = new Set<string>();
  for (const row of await readLedger(session)) {
    if (!migrations.includes(row.name)) continue;
    const table = keptTracking(row.metadata) ?? (await trackingTable(session, row.version));
    if (table !== null) names.add(qualified(table.schema, table.table));
  }
  const rows = await session.sql`
    select to_regclass(name)::oid::int8::text as oid from unnest(${[...names]}::text[]) name where to_regclass(name) is not null`;
  return new Set(rows.map((row) => Number(row.oid)));
}

function reportOf(
  { run, facts, archive, done, lockedAt }: Concluding,
  difference: ReturnType<typeof compareCatalogs>,
  notes: readonly string[],
): RollbackReport {
  const { belay, plan, request, found } = run;
  const now = performance.now();
  const report = rollbackReport({
    rollbackId: run.undoId,
    kind: "undo",
    migration: plan.migration,
    migrations: plan.migrations,
    actor: belay.actor,
    reason: request.reason,
    startedAt: run.startedAt,
    finishedAt: belay.now(),
    manifest: facts.work.manifest,
    difference,
    attempts: done.attempts,
    criticalSectionMs: now - done.startedAt,
    lockedMs: Math.round(now - (lockedAt ?? done.startedAt)),
    endState: "as_before",
    notes,
  });
  const discarded = facts.conflicts.flatMap((each) => (each.discarded && each.discard !== null ? [each.discard] : []));
  return {
    ...report,
    archiveId: archive?.manifest.id ?? null,
    undone: {
      rollbackId: found.rollbackId,
      archiveId: found.archiveId,
      only: [...plan.only],
      discarded: [...new Set(discarded)],
    },
  };
}
