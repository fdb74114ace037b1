import type { Belay } from "../shared/context.ts";
import { isBelayError } from "../shared/errors.ts";
import { withSession } from "../shared/with-session.ts";
import { latestDue, parseCron } from "./cron.ts";
import { type BegunDrill, beginDrill } from "./record.ts";
import { performDrill } from "./run-drill.ts";
import { readSchedules } from "./schedules.ts";
import { settleAbandoned } from "./settle.ts";
import type { DrillReport, Schedule } from "./types.ts";

/** Minutes for which a missed minute is still made good, by one drill however many minutes were missed. */
const graceMinutes = 60;

export interface StartedDrill extends BegunDrill {
  readonly schedule: string;
  /** The minute that fell due, ISO 8601. */
  readonly dueAt: string;
  readonly archiveChoice: Schedule["archiveChoice"];
}

export interface TickResult {
  readonly started: readonly StartedDrill[];
  /** Schedules whose cron expression cannot be read, with the reason: they start nothing. */
  readonly broken: readonly { readonly schedule: string; readonly why: string }[];
  /** Settles when the started drills are finished; never rejects, a drill that failed is in its report. */
  readonly finished: Promise<DrillReport[]>;
}

/**
 * Starts the drills that are due, once per schedule and minute however many ticks arrive.
 * Returns as soon as they are on record; the work goes on, one drill after the other.
 */
export async function tick(belay: Belay, now: Date): Promise<TickResult> {
  const started: StartedDrill[] = [];
  const broken: { schedule: string; why: string }[] = [];
  await withSession(belay, "belay tick", async ({ sql }) => {
    for (const { name: schedule, cron, archiveChoice, enabled, createdAt } of await readSchedules(sql)) {
      if (!enabled) continue;
      const due = dueMinute(cron, createdAt, now);
      if (typeof due === "string") broken.push({ schedule, why: due });
      if (!(due instanceof Date)) continue;
      const begun = await beginDrill(sql, belay.actor, { archiveId: archiveChoice, schedule, dueAt: due });
      if (begun !== null) started.push({ ...begun, schedule, dueAt: due.toISOString(), archiveChoice });
    }
  });
  return { started, broken, finished: performAll(belay, started) };
}

/** The latest due minute not before the schedule was made, null when there is none, or why the expression is broken. */
function dueMinute(cron: string, createdAt: Date, now: Date): Date | null | string {
  const minute = 60_000;
  const made = Math.floor(createdAt.getTime() / minute) * minute;
  const after = Math.max(now.getTime() - graceMinutes * minute, made - 1);
  try {
    return latestDue(parseCron(cron), new Date(after), now);
  } catch (error) {
    if (isBelayError(error, "usage")) return error.message;
    throw error;
  }
}

async function performAll(belay: Belay, started: readonly StartedDrill[]): Promise<DrillReport[]> {
  const reports: DrillReport[] = [];
  for (const drill of started) {
    const { archiveChoice: archiveId, schedule, dueAt } = drill;
    const report = await performDrill(belay, drill, { archiveId, schedule, dueAt: new Date(dueAt) }).catch(() => null);
    if (report !== null) reports.push(report);
  }
  await settleAbandoned(belay).catch(() => {});
  return reports;
}
