import { z } from "zod";

export const riskSchema = z.enum(["HIGH", "MEDIUM", "LOW"]);
export type Risk = z.infer<typeof riskSchema>;

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

/** One named condition with its evidence. `unknown` and `not_available` are never counted as passed. */
export const gateSchema = z.object({
  name: z.enum(gateNames),
  state: z.enum(["passed", "failed", "waived", "unknown", "not_available"]),
  /** Whether a failed state stops the rollback. */
  blocking: z.boolean(),
  evidence: z.string(),
  /** How to satisfy it; null when passed. */
  next: z.string().nullable(),
});
export type Gate = z.infer<typeof gateSchema>;

/** One catalog object that goes, changes or comes. `key` is the catalog's entry key. */
export const effectObjectSchema = z.object({
  key: z.string(),
  kind: z.string(),
  schema: z.string().nullable(),
  name: z.string(),
  change: z.enum(["destroyed", "changed", "created"]),
  /** `statement`: named by the SQL. `cascade`: goes with another object. */
  by: z.enum(["statement", "cascade"]),
});
export type EffectObject = z.infer<typeof effectObjectSchema>;

export const lostTableSchema = z.object({
  schema: z.string(),
  table: z.string(),
  oid: z.number().int(),
  rows: z.number().int().nonnegative(),
  /** False: `rows` is the server's estimate, because the table is too large to count or may not be read. */
  exact: z.boolean(),
  /** Heap, toast and indexes. */
  bytes: z.number().int().nonnegative(),
  /** Rows inserted, updated or deleted since the migration was applied, by the server's counters; null when unknown. */
  writtenSince: z.number().int().nullable(),
});

export const lostColumnsSchema = z.object({
  schema: z.string(),
  table: z.string(),
  oid: z.number().int(),
  columns: z.array(z.string()),
  /** A non-null unique key by which undo finds each row again; null: cannot be merged. */
  key: z.array(z.string()).nullable(),
  /** Rows with a value in any of the columns. */
  rows: z.number().int().nonnegative(),
  /** False: `rows` is the server's estimate of the table's rows. */
  exact: z.boolean(),
  bytes: z.number().int().nonnegative(),
});

export const lostSequenceSchema = z.object({
  schema: z.string(),
  name: z.string(),
  oid: z.number().int(),
  lastValue: z.string(),
});

export const lockSchema = z.object({
  schema: z.string(),
  relation: z.string(),
  oid: z.number().int(),
  mode: z.string(),
  /** Why: destroyed, changed, foreign-key parent... */
  because: z.string(),
  /** A statement of the rollback SQL may itself change its rows: they are archived whole when it does. */
  mayChangeRows: z.boolean(),
});

export const blockerSchema = z.object({
  pid: z.number().int(),
  role: z.string(),
  state: z.string(),
  ageSeconds: z.number(),
  relation: z.string(),
  query: z.string(),
});

export const effectSchema = z.object({
  objects: z.array(effectObjectSchema),
  tables: z.array(lostTableSchema),
  columns: z.array(lostColumnsSchema),
  sequences: z.array(lostSequenceSchema),
  /** Statements whose effect the text cannot tell (DO blocks, function calls, DML): the execution guard decides. */
  opaque: z.array(z.object({ line: z.number().int(), statement: z.string(), why: z.string() })),
});
export type Effect = z.infer<typeof effectSchema>;

export const stepSchema = z.object({ name: z.string(), detail: z.string() });

/** Effect, gates and steps of one rollback, as plain data with a hash. */
export const planSchema = z.object({
  format: z.literal("belay-plan/1"),
  migration: z.string(),
  version: z.string(),
  status: z.enum(["applied", "rolled_back", "failed"]),
  appliedAt: z.string().nullable(),
  rollbackSql: z.string(),
  /** The SQL that would run, after taking off BEGIN/COMMIT and CONCURRENTLY; empty when it cannot run. */
  sql: z.string(),
  rewrites: z.array(z.string()),
  dependents: z.array(z.object({ migration: z.string(), found: z.enum(["declared", "catalog"]), why: z.string() })),
  effect: effectSchema,
  locks: z.array(lockSchema),
  blockers: z.array(blockerSchema),
  risk: riskSchema,
  riskReasons: z.array(z.string()),
  verdict: z.enum(["roll_back", "roll_back_application_only", "fix_forward", "restore_backup"]),
  gates: z.array(gateSchema),
  steps: z.array(stepSchema),
  /** True when no blocking gate failed. */
  canRollBack: z.boolean(),
  blockingReason: z.string().nullable(),
  /** sha256 over target, SQL, steps, digests of affected objects and policy: not over counts, ages or blockers. */
  hash: z.string(),
  plannedAt: z.string(),
});
export type Plan = z.infer<typeof planSchema>;

export const rollbackOutcomes = ["intended", "committed", "failed", "undone", "unknown"] as const;

/** What one execution did; also the answer of HTTP and `--json`. */
export const rollbackReportSchema = z.object({
  rollbackId: z.string(),
  kind: z.enum(["rollback", "undo"]),
  migration: z.string(),
  outcome: z.enum(rollbackOutcomes),
  archiveId: z.string().nullable(),
  actor: z.string(),
  reason: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  attempts: z.number().int(),
  /** Milliseconds from the first lock of the rollback SQL to COMMIT. */
  criticalSectionMs: z.number().nullable(),
  tables: z.array(z.object({ schema: z.string(), table: z.string(), rows: z.number().int(), digest: z.string() })),
  columns: z.array(
    z.object({ schema: z.string(), table: z.string(), columns: z.array(z.string()), rows: z.number().int() }),
  ),
  objects: z.array(z.object({ key: z.string(), change: z.enum(["destroyed", "changed", "created"]) })),
  sequences: z.array(z.object({ schema: z.string(), name: z.string(), lastValue: z.string() })),
  endState: z.enum(["as_before", "unknown", "waived"]),
  /** What the team's own tool will do next. */
  notes: z.array(z.string()),
});
export type RollbackReport = z.infer<typeof rollbackReportSchema>;
