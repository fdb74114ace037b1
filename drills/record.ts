import { appendAudit } from "../shared/audit.ts";
import type { Belay } from "../shared/context.ts";
import { inTransaction } from "../shared/migrations/transaction.ts";
import type { Sql } from "../shared/postgres/session.ts";
import { withSession } from "../shared/with-session.ts";
import type { DrillReport } from "./types.ts";

export interface DrillStart {
  /** The archive's id, or how it will be chosen: `latest` or `random`. */
  readonly archiveId: string;
  readonly schedule: string | null;
  readonly dueAt: Date | null;
}

export interface BegunDrill {
  readonly drillId: string;
  readonly startedAt: string;
}

/** Puts a running drill on record; null when the schedule's minute already has one. */
export async function beginDrill(sql: Sql, actor: string, start: DrillStart): Promise<BegunDrill | null> {
  const [row] = await sql`
    insert into belay.drills (archive_id, schedule_name, due_at, actor)
    values (${start.archiveId}, ${start.schedule}, ${start.dueAt}, ${actor})
    on conflict (schedule_name, due_at) do nothing
    returning id, started_at`;
  return row === undefined ? null : { drillId: row.id, startedAt: row.started_at.toISOString() };
}

/** Notes the scratch database before it is made, so that an orphan can be found by its record. */
export async function noteScratch(belay: Belay, drillId: string, archiveId: string, database: string): Promise<void> {
  await withSession(
    belay,
    "belay drill",
    ({ sql }) => sql`
      update belay.drills set archive_id = ${archiveId}, scratch_database = ${database} where id = ${drillId}`,
  );
}

/** Writes the outcome, its checks and the audit row in one transaction. */
export async function finishDrill(belay: Belay, report: DrillReport): Promise<void> {
  await withSession(belay, "belay drill", (session) =>
    inTransaction(session, "recording a drill", async () => {
      const { sql } = session;
      await sql`
        update belay.drills set archive_id = ${report.archiveId}, verdict = ${report.verdict},
          scratch_database = ${report.scratchDatabase}, phases = ${sql.json(report.phases)},
          summary = ${report.summary}, finished_at = ${report.finishedAt}
        where id = ${report.drillId}`;
      const rows = report.checks.map((check, index) => ({ drill_id: report.drillId, position: index + 1, ...check }));
      if (rows.length > 0) await sql`insert into belay.drill_checks ${sql(rows)}`;
      await appendAudit(session, {
        actor: report.actor,
        action: "drill.finished",
        subject: report.drillId,
        details: { archiveId: report.archiveId, verdict: report.verdict, schedule: report.schedule },
      });
    }),
  );
}
