import { z } from "zod";
import { gateSchema } from "../gate-types.ts";
import { blockerSchema, lockSchema, riskSchema } from "../types.ts";

export const undoGateNames = [
  "status",
  "order",
  "archive",
  "conflicts",
  "reason",
  "approved",
  "maintenance_window",
] as const;
export type UndoGateName = (typeof undoGateNames)[number];

/** As the gates of a rollback. */
export const undoGateSchema = gateSchema.extend({ name: z.enum(undoGateNames) });
export type UndoGate = z.infer<typeof undoGateSchema>;

/** What is newer than the rollback and would be lost or broken by undoing it. */
export const undoConflictSchema = z.object({
  kind: z.enum([
    "object_in_the_way",
    "object_changed",
    "object_gone",
    "object_missing",
    "object_newer",
    "rows_changed",
    "column_written",
    "rows_do_not_fit",
  ]),
  /** Entry key, or `schema.table`. */
  subject: z.string(),
  what: z.string(),
  /** The migration or the rollback that did it, where that is known. */
  by: z.string().nullable(),
  /** The table by which `discardNewer` lets it pass, with an archive of what goes; null: it has to be settled first. */
  discard: z.string().nullable(),
  /** It was asked to be let pass. */
  discarded: z.boolean(),
});
export type UndoConflict = z.infer<typeof undoConflictSchema>;

const tableRef = { schema: z.string(), table: z.string() };

/** What one undo would do, as plain data with a hash; made again under the locks. */
export const undoPlanSchema = z.object({
  format: z.literal("belay-undo-plan/1"),
  rollbackId: z.string(),
  /** Of the rollback. */
  rolledBackAt: z.string().nullable(),
  rolledBackBy: z.string(),
  reasonThen: z.string(),
  migration: z.string(),
  /** All that come back as one, oldest first. */
  migrations: z.array(z.string()),
  /** Tables that alone come back; empty: all, and the migrations count as applied again. */
  only: z.array(z.string()),
  returns: z.object({
    objects: z.array(z.object({ key: z.string(), change: z.enum(["created", "changed"]) })),
    tables: z.array(z.object({ ...tableRef, rows: z.number().int() })),
    columns: z.array(z.object({ ...tableRef, columns: z.array(z.string()), rows: z.number().int() })),
    /** What `--preserve quarantine` kept, and where it is moved back from; tables with all their rows. */
    moved: z.array(z.object({ kind: z.string(), schema: z.string(), name: z.string(), from: z.string() })),
    sequences: z.array(z.object({ schema: z.string(), name: z.string(), lastValue: z.string() })),
    /** Rows of the ledger that count as applied again. */
    ledger: z.array(z.object({ migration: z.string(), status: z.string() })),
    /** Rows that the team's own tool gets back in its table. */
    tracking: z.array(z.object({ migration: z.string(), table: z.string(), tool: z.string() })),
  }),
  /** What is there already as it was before the rollback: put back by hand, or by an undo of some tables. */
  present: z.array(z.string()),
  /** What --only leaves out, and why. */
  leftOut: z.array(z.string()),
  /** What goes, or is written over; it is archived first. */
  replaces: z.object({
    objects: z.array(z.object({ key: z.string(), change: z.enum(["destroyed", "changed"]) })),
    tables: z.array(
      z.object({
        ...tableRef,
        oid: z.number().int(),
        rows: z.number().int(),
        bytes: z.number().int(),
        because: z.string(),
      }),
    ),
    columns: z.array(z.object({ ...tableRef, columns: z.array(z.string()), because: z.string() })),
  }),
  locks: z.array(lockSchema),
  blockers: z.array(blockerSchema),
  conflicts: z.array(undoConflictSchema),
  /** What --discard-newer was given. */
  discardNewer: z.array(z.string()),
  archive: z
    .object({
      id: z.string(),
      bytes: z.number().int(),
      rows: z.number().int(),
      takenAt: z.string(),
      /** When every byte of it was read back last, by the record. */
      verifiedAt: z.string().nullable(),
      /** What is wrong with it; null: its objects are there in the sizes that were written. */
      problem: z.string().nullable(),
    })
    .nullable(),
  risk: riskSchema,
  riskReasons: z.array(z.string()),
  gates: z.array(undoGateSchema),
  steps: z.array(z.object({ name: z.string(), detail: z.string() })),
  /** A rough time for rows and indexes at the measured speed of COPY; tables are locked meanwhile. */
  forecast: z.object({ bytes: z.number().int(), seconds: z.number() }),
  policyDigest: z.string(),
  canUndo: z.boolean(),
  blockingReason: z.string().nullable(),
  /** sha256 over target, what comes back, what goes, conflicts, archive and policy: not over counts or blockers. */
  hash: z.string(),
  plannedAt: z.string(),
});
export type UndoPlan = z.infer<typeof undoPlanSchema>;

/** Which rollback to undo, and how much of it. */
export interface UndoTarget {
  /** The rollback; without it, the last one of `migration`. */
  readonly rollbackId?: string;
  /** A migration's name, file name or version, or `latest`: the newest rollback. */
  readonly migration?: string;
  /** Tables, `schema.table`, that alone come back; the migration stays rolled back. */
  readonly only?: readonly string[];
  /** Tables whose newer rows are archived and written over, or `all`. */
  readonly discardNewer?: readonly string[];
}
