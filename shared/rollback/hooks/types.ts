import { z } from "zod";

/** A signed call before or after a rollback. */
export const hookResultSchema = z.object({
  hook: z.enum(["before", "after"]),
  /** Host alone: the rest of an address may be a secret. */
  address: z.string(),
  state: z.enum(["taken", "failed"]),
  /** Of the last attempt; null when none was answered. */
  status: z.number().int().nullable(),
  attempts: z.number().int(),
  milliseconds: z.number().int(),
  evidence: z.string(),
});
export type HookResult = z.infer<typeof hookResultSchema>;

export const healthResultSchema = z.object({
  name: z.string(),
  healthy: z.boolean(),
  status: z.number().int().nullable(),
  attempts: z.number().int(),
  milliseconds: z.number().int(),
  evidence: z.string(),
});
export type HealthResult = z.infer<typeof healthResultSchema>;

/**
 * `failing`: a check passed before and fails after. `failing_before`: what fails now failed before too. `not_reached`: nothing
 * was committed, so nobody asked again. `not_asked`: there are no checks.
 */
export const healthVerdicts = ["healthy", "failing", "failing_before", "not_reached", "not_asked"] as const;
export const healthSchema = z.object({
  verdict: z.enum(healthVerdicts),
  before: z.array(healthResultSchema),
  after: z.array(healthResultSchema),
});
export type Health = z.infer<typeof healthSchema>;

/** A message to the team's address; it never fails a rollback. */
export const noticeResultSchema = z.object({
  about: z.enum(["started", "done", "failed", "undone"]),
  address: z.string(),
  state: z.enum(["taken", "failed"]),
  evidence: z.string(),
});
export type NoticeResult = z.infer<typeof noticeResultSchema>;

export const maintenanceResultSchema = z.object({
  /** False: somebody else had switched it on, and it was left to them; or it could not be switched on. */
  used: z.boolean(),
  evidence: z.string(),
});
export type MaintenanceResult = z.infer<typeof maintenanceResultSchema>;

/** What was done around a rollback or an undo. */
export const aroundSchema = z.object({
  /** null: not asked for. */
  maintenance: maintenanceResultSchema.nullable(),
  hooks: z.array(hookResultSchema),
  health: healthSchema,
  notices: z.array(noticeResultSchema),
});
export type Around = z.infer<typeof aroundSchema>;

/** One moment of a rollback or an undo. */
export const timelineEventSchema = z.object({
  at: z.string(),
  event: z.string(),
  state: z.enum(["done", "failed", "skipped"]),
  evidence: z.string(),
});
export type TimelineEvent = z.infer<typeof timelineEventSchema>;
