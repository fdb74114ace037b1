import { z } from "zod";

export const verdicts = ["pass", "backup_bad", "environment_mismatch", "inconclusive"] as const;
export type Verdict = (typeof verdicts)[number];

export const checkNames = [
  "decode",
  "environment",
  "restore",
  "tables",
  "counts",
  "digests",
  "catalog",
  "sequences",
  "foreign_keys",
] as const;
export type CheckName = (typeof checkNames)[number];

export const drillCheckSchema = z.object({
  name: z.enum(checkNames),
  state: z.enum(["passed", "failed", "skipped", "unknown"]),
  /** What was seen; names of objects and counts, never row values. */
  evidence: z.string(),
  milliseconds: z.number(),
});
export type DrillCheck = z.infer<typeof drillCheckSchema>;

export const drillPhaseSchema = z.object({
  name: z.enum(["choose", "decode", "scratch", "restore", "check", "drop"]),
  milliseconds: z.number(),
});
export type DrillPhase = z.infer<typeof drillPhaseSchema>;

/** The record of one drill; also the answer of HTTP and `--json`. */
export const drillReportSchema = z.object({
  drillId: z.string(),
  /** `latest` until the archive is chosen, and when there is none. */
  archiveId: z.string(),
  schedule: z.string().nullable(),
  /** The minute the schedule fell due, ISO 8601. */
  dueAt: z.string().nullable(),
  verdict: z.enum(["running", ...verdicts]),
  summary: z.string(),
  scratchDatabase: z.string().nullable(),
  checks: z.array(drillCheckSchema),
  phases: z.array(drillPhaseSchema),
  actor: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
});
export type DrillReport = z.infer<typeof drillReportSchema>;

export const scheduleSchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "lower-case letters, digits, - and _"),
  /** Five fields, in UTC: minute, hour, day of month, month, day of week. */
  cron: z.string().max(200),
  archiveChoice: z.enum(["latest", "random"]),
  enabled: z.boolean(),
});
export type Schedule = z.infer<typeof scheduleSchema>;
