import { z } from "zod";

/** One object that is not as the last snapshot and the rollbacks since say. */
export const driftObjectSchema = z.object({
  key: z.string(),
  kind: z.string(),
  /** For people: `table public.orders`. */
  what: z.string(),
  /** `added`: there, and not in the snapshot. `missing`: in the snapshot, and not there. */
  difference: z.enum(["added", "missing", "changed"]),
  /** CREATE text in the snapshot; null when added. */
  before: z.string().nullable(),
  /** CREATE text today; null when missing. */
  after: z.string().nullable(),
});
export type DriftObject = z.infer<typeof driftObjectSchema>;

/** What was changed in a database past its migrations. */
export const driftSchema = z.object({
  /** The snapshot compared with; null when there is none, and nothing can be said. */
  comparedWith: z.object({ migration: z.string().nullable(), takenAt: z.string() }).nullable(),
  objects: z.array(driftObjectSchema),
});
export type Drift = z.infer<typeof driftSchema>;
