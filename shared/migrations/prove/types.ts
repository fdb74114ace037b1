import { z } from "zod";

/**
 * What a rehearsal says of a migration's rollback SQL, judged by Belay's own entries:
 * `exact`: every entry is as before the migration. `column-order`: equal but for the order of columns.
 * `residue`: something of the migration stays. `overreach`: something that was there before is gone.
 * `differs`: entries have another text, or several of these at once. `fails`: the SQL does not run.
 * `noop`: it runs and changes nothing, though the migration changed something; rollback SQL without a statement too.
 * `missing`: there is no rollback SQL and no file for it. `up-fails`: the forward SQL does not run.
 * `environment`: the server lacks what the forward SQL needs (an extension, a role), so nothing is said of the SQL.
 */
export const proofVerdicts = [
  "exact",
  "column-order",
  "residue",
  "overreach",
  "differs",
  "fails",
  "noop",
  "missing",
  "up-fails",
  "environment",
] as const;
export const proofVerdictSchema = z.enum(proofVerdicts);
export type ProofVerdict = z.infer<typeof proofVerdictSchema>;

/** One entry in which the state after the rollback is not the state before the migration. */
export const proofDifferenceSchema = z.object({
  key: z.string(),
  kind: z.string(),
  schema: z.string().nullable(),
  name: z.string(),
  how: z.enum(["left_over", "missing", "changed", "column_order"]),
  /** CREATE text before the migration; null when it is left over. */
  before: z.string().nullable(),
  /** CREATE text after the rollback; null when it is missing. */
  after: z.string().nullable(),
});
export type ProofDifference = z.infer<typeof proofDifferenceSchema>;

/** Rows or values that rolling back destroys. */
export const proofLossSchema = z.object({
  schema: z.string(),
  table: z.string(),
  /** null: whole rows. */
  columns: z.array(z.string()).nullable(),
  /** `since`: of rows that stand after the migration. `before`: of rows that stood before the migration. */
  of: z.enum(["since", "before"]),
  /** `dropped`: with their table or column. `deleted`: rows of a table that stays. `changed`: values in a column that stays. */
  how: z.enum(["dropped", "deleted", "changed"]),
  /** Generated rows that were lost; null when none were put in and only the catalog tells. */
  rows: z.number().int().nonnegative().nullable(),
});
export type ProofLoss = z.infer<typeof proofLossSchema>;

export const proofErrorSchema = z.object({
  message: z.string(),
  /** SQLSTATE, or null when it did not come from the server. */
  code: z.string().nullable(),
  file: z.string().nullable(),
  line: z.number().int().nullable(),
  column: z.number().int().nullable(),
  /** The statement that failed, shortened. */
  statement: z.string().nullable(),
});
export type ProofError = z.infer<typeof proofErrorSchema>;

/** `up_fails`, `down_fails`: the forward or the rollback SQL does not run over the generated rows. */
export const rowsOutcomeSchema = z.enum(["not_run", "kept", "lost", "up_fails", "down_fails"]);

/** A rehearsal's result for one migration: what `belay prove --json` prints for it. */
export const proofSchema = z.object({
  migration: z.string(),
  version: z.string(),
  verdict: proofVerdictSchema,
  /** One sentence for people. */
  message: z.string(),
  differences: z.array(proofDifferenceSchema),
  loses: z.array(proofLossSchema),
  /** Milliseconds; null when it was not run. */
  up_ms: z.number().nullable(),
  down_ms: z.number().nullable(),
  /** The migration once more, after its rollback: `same` state as the first time, or not. */
  up_again: z.enum(["same", "differs", "fails", "not_run"]),
  /** The rollback SQL changes no schema object. */
  noop: z.boolean(),
  /** Whether the forward SQL changes a schema object. */
  changes_schema: z.boolean(),
  /** SQL to replace the rollback SQL, tried and found exact; null when there is none. */
  fix: z.string().nullable(),
  /** Why there is no `fix`, where one is wanted. */
  no_fix: z.string().nullable(),
  /** Tables that took no generated rows, so that nothing is shown of their rows. */
  unseeded: z.array(z.string()),
  /** What became of generated rows; null when none were put in. `before`: rows that stood before the migration. */
  with_rows: z
    .object({ before: rowsOutcomeSchema, since: rowsOutcomeSchema, error: z.string().nullable() })
    .nullable()
    .default(null),
  error: proofErrorSchema.nullable(),
  /** Where the forward and the rollback SQL are. */
  file: z.string(),
  rollback_file: z.string().nullable(),
  rollback_line: z.number().int().nullable(),
  /** sha256 (hex) over all that the proof rests on: the forward SQL up to here, the rollback SQL, the settings. */
  chain: z.string(),
  /** When it was proved: ISO 8601. */
  at: z.iso.datetime(),
  /** Taken from an earlier run with the same chain. */
  cached: z.boolean(),
});
export type Proof = z.infer<typeof proofSchema>;
