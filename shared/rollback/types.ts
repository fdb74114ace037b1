import { z } from "zod";
import { driftSchema } from "../migrations/drift/types.ts";
import { checklistItemSchema, gateSchema } from "./gate-types.ts";
import { preservationSchema, preservedSchema } from "./preserve-types.ts";

export const riskSchema = z.enum(["HIGH", "MEDIUM", "LOW"]);
export type Risk = z.infer<typeof riskSchema>;

export { type Gate, gateNames, gateSchema } from "./gate-types.ts";
export {
  type Preservation,
  type Preserved,
  type PreserveMode,
  preservedSchema,
  preserveModeSchema,
  preserveModes,
} from "./preserve-types.ts";

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

const writtenFields = {
  /** Rows of the table inserted, updated or deleted since then, by the server's counters; null when unknown. */
  writtenSince: z.number().int().nullable(),
  /** From when on they are counted: the migration's registration, or its making of the table. */
  countedFrom: z.string().nullable(),
  /** Why it is unknown; null when it is known. */
  notCounted: z.string().nullable(),
};

export const lostTableSchema = z.object({
  schema: z.string(),
  table: z.string(),
  oid: z.number().int(),
  rows: z.number().int().nonnegative(),
  /** False: `rows` is the server's estimate, because the table is too large to count or may not be read. */
  exact: z.boolean(),
  /** Heap, toast and indexes. */
  bytes: z.number().int().nonnegative(),
  ...writtenFields,
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
  ...writtenFields,
});

export const lostSequenceSchema = z.object({
  schema: z.string(),
  name: z.string(),
  oid: z.number().int(),
  lastValue: z.string(),
  /** It stays, and only its value is set. */
  stays: z.boolean(),
});

/** What is archived whole on request; a partition or child table of one that was named is an entry of its own. */
export const alsoArchivedSchema = lostTableSchema
  .omit({ writtenSince: true, countedFrom: true, notCounted: true })
  .extend({ kind: z.enum(["table", "sequence"]) });
export type AlsoArchived = z.infer<typeof alsoArchivedSchema>;

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

/** What stands in the way of a planned lock now. */
export const blockerSchema = z.object({
  kind: z.enum(["session", "autovacuum", "background_worker", "prepared_transaction"]),
  /** null for a prepared transaction: no process holds it. */
  pid: z.number().int().nullable(),
  /** Name of a prepared transaction. */
  gid: z.string().nullable(),
  role: z.string(),
  application: z.string(),
  /** As pg_stat_activity has it; `hidden` where this role may not see it, `prepared` for a prepared transaction. */
  state: z.string(),
  /** Of its transaction. */
  ageSeconds: z.number(),
  /** Of its present or last query; null when hidden or without one. */
  queryAgeSeconds: z.number().nullable(),
  /** The mode that it holds, or waits for. */
  mode: z.string(),
  /** False: it waits for the lock itself, and comes before us. */
  granted: z.boolean(),
  relation: z.string(),
  /** The leading words of the query, never its values. */
  query: z.string(),
});

export const effectSchema = z.object({
  /** `migration`: whose rollback SQL does it. */
  objects: z.array(effectObjectSchema.extend({ migration: z.string() })),
  tables: z.array(lostTableSchema),
  columns: z.array(lostColumnsSchema),
  sequences: z.array(lostSequenceSchema),
  /** Statements that write rows of tables: also among `opaque`, since triggers may do more. */
  writes: z.array(
    z.object({
      migration: z.string(),
      file: z.string(),
      line: z.number().int(),
      verb: z.enum(["insert", "update", "delete", "merge", "truncate", "copy"]),
      schema: z.string(),
      table: z.string(),
      oid: z.number().int(),
      /** Rows that it would reach as the database stands; null when that is not cheap to tell. */
      rows: z.number().int().nonnegative().nullable(),
    }),
  ),
  /** pg_cron's jobs whose command names something that goes: they stay, and fail from then on. */
  jobs: z.array(
    z.object({
      id: z.number().int(),
      name: z.string().nullable(),
      schedule: z.string(),
      active: z.boolean(),
      /** What of all that goes it names. */
      uses: z.array(z.string()),
    }),
  ),
  /** Statements whose effect the text cannot tell (DO blocks, function calls, DML): the execution guard decides. */
  opaque: z.array(
    z.object({
      migration: z.string(),
      file: z.string(),
      line: z.number().int(),
      statement: z.string(),
      why: z.string(),
    }),
  ),
});
export type Effect = z.infer<typeof effectSchema>;

export const stepSchema = z.object({ name: z.string(), detail: z.string() });

export const planTargetSchema = z.object({
  kind: z.enum(["migration", "migrations", "latest", "to", "deployment"]),
  /** The name, version or id that was given; several names with a space between. */
  value: z.string(),
});

/** One migration of the set, in the order in which they are rolled back. */
export const plannedMigrationSchema = z.object({
  migration: z.string(),
  version: z.string(),
  status: z.enum(["applied", "rolled_back", "failed"]),
  appliedAt: z.string().nullable(),
  /** The forward file. */
  file: z.string(),
  /** Where its rollback SQL begins; null when the ledger has none. */
  rollbackFile: z.string().nullable(),
  rollbackLine: z.number().int().nullable(),
  /** Another migration of the set whose rollback SQL reverses this one too; null: its own runs. */
  reversedBy: z.string().nullable(),
  /** What would run for it; empty with `reversedBy` and when it cannot run. */
  sql: z.string(),
  destroys: z.object({
    tables: z.array(z.string()),
    /** `schema.table (a, b)` */
    columns: z.array(z.string()),
    sequences: z.array(z.string()),
    /** Rows of the tables; those of columns stay. */
    rows: z.number().int().nonnegative(),
    objects: z.number().int().nonnegative(),
  }),
});
export type PlannedMigration = z.infer<typeof plannedMigrationSchema>;

/** The newest part of a set that can go although the whole cannot. */
export const partialRollbackSchema = z.object({
  /** In the order in which they are rolled back. */
  migrations: z.array(z.string()),
  /** The migration at which it stops, and why that one cannot go. */
  stopsAt: z.string(),
  why: z.string(),
  /** Plans this part. */
  command: z.string(),
});

/** Effect, gates and steps of one rollback, as plain data with a hash. */
export const planSchema = z.object({
  format: z.literal("belay-plan/2"),
  /** What was asked for. */
  target: planTargetSchema,
  /** All that go as one, newest first, each after what depends on it. */
  migrations: z.array(plannedMigrationSchema),
  /** The first of them; what follows up to `sql` is of this one. */
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
  preserve: preservationSchema,
  /** Asked to be archived whole besides: the SQL may change or drop them out of the plan's sight. */
  alsoArchived: z.array(alsoArchivedSchema),
  locks: z.array(lockSchema),
  blockers: z.array(blockerSchema),
  risk: riskSchema,
  riskReasons: z.array(z.string()),
  /** What it touches that was changed past the migrations; it never blocks by itself. */
  drift: driftSchema,
  verdict: z.enum(["roll_back", "roll_back_part", "roll_back_application_only", "fix_forward", "restore_backup"]),
  /** With the verdict `roll_back_part`. */
  part: partialRollbackSchema.nullable(),
  gates: z.array(gateSchema),
  checklist: z.array(checklistItemSchema),
  /** sha256 of the policy by which it was judged, as `belay policy` shows it. */
  policyDigest: z.string(),
  steps: z.array(stepSchema),
  /** True when no gate is blocking. */
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
  /** All that went (or came back) as one, in that order; absent in records from before sets. */
  migrations: z.array(z.string()).optional(),
  outcome: z.enum(rollbackOutcomes),
  archiveId: z.string().nullable(),
  actor: z.string(),
  reason: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  attempts: z.number().int(),
  /** Milliseconds from the first lock of the rollback SQL until COMMIT was answered. */
  criticalSectionMs: z.number().nullable(),
  /** Milliseconds from when the first table lock was asked for until COMMIT was answered: how long writers waited; absent in records from before it. */
  lockedMs: z.number().nullable().optional(),
  tables: z.array(z.object({ schema: z.string(), table: z.string(), rows: z.number().int(), digest: z.string() })),
  columns: z.array(
    z.object({ schema: z.string(), table: z.string(), columns: z.array(z.string()), rows: z.number().int() }),
  ),
  objects: z.array(z.object({ key: z.string(), change: z.enum(["destroyed", "changed", "created"]) })),
  sequences: z.array(z.object({ schema: z.string(), name: z.string(), lastValue: z.string() })),
  endState: z.enum(["as_before", "unknown", "waived"]),
  /** What is kept in the database, where and until when; absent where nothing is. */
  preserved: preservedSchema.optional(),
  /** The plan's checklist, with what the archive's verified rows say; absent in an undo and in records from before it. */
  checklist: z.array(checklistItemSchema).optional(),
  /** Of an undo: what it put back. `archiveId` above is of what it replaced. */
  undone: z
    .object({
      rollbackId: z.string(),
      /** Where the rows came from. */
      archiveId: z.string().nullable(),
      /** Tables that alone came back; empty: all. */
      only: z.array(z.string()),
      /** Tables whose newer rows were written over. */
      discarded: z.array(z.string()),
    })
    .optional(),
  /** What the team's own tool will do next. */
  notes: z.array(z.string()),
});
export type RollbackReport = z.infer<typeof rollbackReportSchema>;
