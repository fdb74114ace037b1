import { appendAudit } from "../shared/audit.ts";
import type { Belay } from "../shared/context.ts";
import { inTransaction } from "../shared/migrations/transaction.ts";
import type { Sql } from "../shared/postgres/session.ts";
import { withSession } from "../shared/with-session.ts";
import { parseCron } from "./cron.ts";
import type { Schedule } from "./types.ts";

export async function listSchedules(belay: Belay): Promise<Schedule[]> {
  const schedules = await withSession(belay, "belay schedules", ({ sql }) => readSchedules(sql));
  return schedules.map(({ createdAt: _, ...schedule }) => schedule);
}

/** Schedules with the moment each was made, by name. */
export async function readSchedules(sql: Sql): Promise<(Schedule & { createdAt: Date })[]> {
  const rows = await sql`select name, cron, archive_choice, enabled, created_at from belay.schedules order by name`;
  return rows.map(({ name, cron, archive_choice, enabled, created_at }) => ({
    name,
    cron,
    archiveChoice: archive_choice,
    enabled,
    createdAt: created_at,
  }));
}

/** Makes or changes a schedule; throws `usage` when the cron expression is wrong. */
export async function saveSchedule(belay: Belay, schedule: Schedule): Promise<Schedule> {
  parseCron(schedule.cron);
  const { name, cron, archiveChoice, enabled } = schedule;
  await withSession(belay, "belay schedules", (session) =>
    inTransaction(session, "saving a schedule", async () => {
      await session.sql`
        insert into belay.schedules (name, cron, archive_choice, enabled)
        values (${name}, ${cron}, ${archiveChoice}, ${enabled})
        on conflict (name) do update set cron = excluded.cron, archive_choice = excluded.archive_choice,
          enabled = excluded.enabled`;
      const details = { cron, archiveChoice, enabled };
      await appendAudit(session, { actor: belay.actor, action: "schedule.saved", subject: name, details });
    }),
  );
  return { name, cron, archiveChoice, enabled };
}
