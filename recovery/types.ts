import { z } from "zod";
import { newerRowsSchema } from "./newer-rows/types.ts";

/** The full restore's steps, in order. */
export const stepNames = [
  "archive_today",
  "list_newer",
  "restore_beside",
  "check",
  "stop_writers",
  "export_newer",
  "switch_over",
  "verify",
] as const;
export type StepName = (typeof stepNames)[number];

export const stepSchema = z.object({
  name: z.enum(stepNames),
  /** One sentence for a person. */
  what: z.string(),
  /** From measurements; null where nothing was measured or nobody can know. */
  expectedSeconds: z.number().nullable(),
  /** On what the expectation rests, or why there is none. */
  basis: z.string(),
  /** Whether the application notices. */
  downtime: z.boolean(),
});
export type Step = z.infer<typeof stepSchema>;

export const runbookPlanSchema = z.object({
  id: z.string(),
  archiveId: z.string(),
  snapshotAt: z.string(),
  /** Age of the backup in seconds: rows younger than that are in today's archive and in the exported files only. */
  ageSeconds: z.number(),
  live: z.string(),
  restored: z.string(),
  aside: z.string(),
  /** False: the copy is made on another server, and the application is pointed there by hand. */
  sameServer: z.boolean(),
  steps: z.array(stepSchema),
  notes: z.array(z.string()),
});
export type RunbookPlan = z.infer<typeof runbookPlanSchema>;

export const stepOutcomeSchema = z.object({
  name: z.enum(stepNames),
  state: z.enum(["done", "failed", "declined", "by_hand", "not_reached"]),
  seconds: z.number(),
  evidence: z.string(),
});
export type StepOutcome = z.infer<typeof stepOutcomeSchema>;

/** `full-restores/<id>.json` in the store; also what `--json` prints. */
export const fullRestoreReportSchema = z.object({
  format: z.literal("belay-full-restore/1"),
  id: z.string(),
  plan: runbookPlanSchema,
  actor: z.string(),
  reason: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  /** Whether the application now works on the restored database. */
  switched: z.boolean(),
  /** Seconds for which writers were stopped; null when they were not. */
  downtimeSeconds: z.number().nullable(),
  outcomes: z.array(stepOutcomeSchema),
  todaysArchive: z.string().nullable(),
  newerRows: newerRowsSchema.nullable(),
  /** SQL that puts the former database back; empty when nothing was switched. */
  switchBack: z.array(z.string()),
  /** What could not be put on record: the restore itself stands. */
  warnings: z.array(z.string()),
});
export type FullRestoreReport = z.infer<typeof fullRestoreReportSchema>;

/** How a table of the backup compares with today's, by the digests of both archives. */
export interface TableToday {
  readonly schema: string;
  readonly table: string;
  readonly rowsThen: number | null;
  readonly rowsNow: number | null;
  readonly same: boolean;
}
