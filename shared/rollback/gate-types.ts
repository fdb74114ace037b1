import { z } from "zod";

export const gateNames = [
  "status",
  "rollback_sql",
  "syntax",
  "transactional",
  "checksum",
  "dependents",
  "provenance",
  "undoable",
  "end_state",
  "supported",
  "store",
  "reason",
  "backup_fresh",
  "restore_tested",
  "rehearsed",
  "team_notified",
  "approved",
  "maintenance_window",
] as const;
export const gateNameSchema = z.enum(gateNames);
export type GateName = z.infer<typeof gateNameSchema>;

/** One named condition with its evidence. `unknown` and `not_available` are never counted as passed. */
export const gateSchema = z.object({
  name: gateNameSchema,
  state: z.enum(["passed", "failed", "waived", "unknown", "not_available"]),
  /**
   * What the policy asks at this plan's risk. `always`: stops when it failed, whatever the policy. `required`: must be
   * passed or waived. `if_known`: must not have failed. `advised`: shown only. `off`: not asked for.
   */
  requirement: z.enum(["always", "required", "if_known", "advised", "off"]),
  /** Whether it stops the rollback as it stands. */
  blocking: z.boolean(),
  evidence: z.string(),
  /** How to satisfy it: the command where there is one; null when passed. */
  next: z.string().nullable(),
  /** Who lets it pass, and why (null: said when it is executed); null unless waived. */
  waiver: z.object({ by: z.string(), reason: z.string().nullable() }).nullable(),
});
export type Gate = z.infer<typeof gateSchema>;

/** One of the five questions of every rollback checklist, answered by evidence. */
export const checklistItemSchema = z.object({
  id: z.enum(["recent_backup", "restore_tested", "data_exported", "no_other_way", "team_told"]),
  question: z.string(),
  answer: z.enum(["yes", "no", "unknown"]),
  evidence: z.string(),
  /** The gate or the verdict that answers. */
  from: z.string(),
});
export type ChecklistItem = z.infer<typeof checklistItemSchema>;
