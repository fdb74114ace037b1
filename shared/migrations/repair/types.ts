import { z } from "zod";

export const repairWays = ["applied", "not_applied"] as const;

/** What the database says of a migration whose record is in doubt. */
export const repairEvidenceSchema = z.object({
  migration: z.string(),
  version: z.string(),
  status: z.enum(["applied", "rolled_back", "failed"]),
  /** How the catalog looks, by the migration's own snapshots: `unknown` without any, `half` where neither fits. */
  catalog: z.object({
    looks: z.enum(["applied", "not_applied", "half", "unknown"]),
    asAfter: z.array(z.string()),
    asBefore: z.array(z.string()),
    asNeither: z.array(z.string()),
  }),
  /** What the tool's own table says; null when there is none. */
  tool: z
    .object({
      name: z.string(),
      table: z.string(),
      recorded: z.boolean(),
      dirty: z.boolean(),
    })
    .nullable(),
  /** Rollbacks and undos whose outcome was open, and what it turned out to be. */
  settled: z.array(z.object({ rollbackId: z.string(), outcome: z.string() })),
});
export type RepairEvidence = z.infer<typeof repairEvidenceSchema>;

export const repairReportSchema = z.object({
  migration: z.string(),
  from: z.enum(["applied", "rolled_back", "failed"]),
  /** The status on record now. */
  to: z.enum(["applied", "rolled_back", "failed"]),
  /** Whether the evidence spoke against it. */
  forced: z.boolean(),
  evidence: repairEvidenceSchema,
  /** What is left to do by the tool's own command. */
  notes: z.array(z.string()),
});
export type RepairReport = z.infer<typeof repairReportSchema>;
export type RepairWay = (typeof repairWays)[number];
