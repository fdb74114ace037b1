import { z } from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const rowId = z.number().int().nonnegative();

/** Hash before the first row. */
export const firstHash = "0".repeat(64);

/** One row of the audit log. */
export const auditRowSchema = z.object({
  id: z.number().int(),
  /** UTC, to the microsecond: the hash covers it so. */
  occurredAt: z.string(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.record(z.string(), z.unknown()),
  previousHash: z.string(),
  hash: z.string(),
});
export type AuditRow = z.infer<typeof auditRowSchema>;

export const sourceSchema = z.object({
  systemIdentifier: z.string().regex(/^\d{1,20}$/),
  databaseOid: z.number().int().positive(),
  database: z.string(),
});
export type AuditSource = z.infer<typeof sourceSchema>;

const objectRefSchema = z.object({ key: z.string(), sha256 });

/** The head of the audit log at a moment, kept in the store. */
export const anchorSchema = z.object({
  format: z.literal("belay-anchor/1"),
  id: z.number().int().positive(),
  hash: sha256,
  rows: rowId,
  source: sourceSchema,
  anchoredAt: z.string(),
  anchoredBy: z.string(),
  /** The anchor before it: one taken out between two is found by the later one. */
  previous: objectRefSchema.extend({ id: rowId }).nullable(),
  /** Of the first anchor after a restore: anchors under `prefix` and above row `above` are of a history that was left. */
  left: z.object({ prefix: z.string(), above: rowId, newest: rowId, reason: z.string() }).nullable(),
});
export type Anchor = z.infer<typeof anchorSchema>;

/** What one rollback or undo was, kept in the store beside its archive. */
export const receiptSchema = z.object({
  format: z.literal("belay-receipt/1"),
  rollbackId: z.string(),
  kind: z.enum(["rollback", "undo"]),
  migrations: z.array(z.string()),
  outcome: z.literal("committed"),
  planHash: z.string(),
  archive: z.object({ id: z.string(), manifestSha256: sha256 }).nullable(),
  /** Its row of the audit log. */
  audit: z.object({ id: z.number().int().positive(), hash: sha256 }),
  /** The receipt before it. */
  previous: objectRefSchema.nullable(),
  source: sourceSchema,
  actor: z.string(),
  reason: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  writtenAt: z.string(),
});
export type Receipt = z.infer<typeof receiptSchema>;

export const signatureSchema = z.object({
  algorithm: z.literal("Ed25519"),
  /** SPKI in base64. */
  publicKey: z.string(),
  /** Base64; over the compact JSON of the document. */
  value: z.string(),
});
export type Signature = z.infer<typeof signatureSchema>;

export const problemKinds = [
  "row_changed",
  "row_missing",
  "row_out_of_place",
  "tail_cut",
  "history_differs",
  "not_as_expected",
  "anchor_missing",
  "anchor_changed",
  "anchors_unreadable",
  "anchored_elsewhere",
  "record_without_row",
  "row_without_record",
  "record_differs",
  "receipt_missing",
  "receipt_differs",
  "receipt_without_record",
  "signature",
  "unprotected",
  "export_damaged",
] as const;

export const auditProblemSchema = z.object({
  kind: z.enum(problemKinds),
  /** Row of the audit log; null where there is none. */
  id: z.number().nullable(),
  message: z.string(),
});
export type AuditProblem = z.infer<typeof auditProblemSchema>;

export const auditVerificationSchema = z.object({
  ok: z.boolean(),
  rows: z.number().int(),
  /** The first row that was read; above 1 in an export of a part. */
  from: z.number().int(),
  head: z.object({ id: z.number().int(), hash: z.string() }),
  /** `proved`: the newest row, or all but `unanchoredRows` of the newest, agree with what is kept outside of the database. */
  tail: z.enum(["proved", "not_proved"]),
  unanchoredRows: z.number().int(),
  anchors: z.object({
    /** Where they are; null: no store was asked. */
    store: z.string().nullable(),
    compared: z.number().int(),
    newest: z.object({ id: z.number().int(), anchoredAt: z.string(), anchoredBy: z.string() }).nullable(),
  }),
  /** Rollbacks, archives and receipts whose records were compared with the log. */
  records: z.object({ rollbacks: z.number().int(), archives: z.number().int(), receipts: z.number().int() }),
  /** The first of them; `problemCount` says how many there are. */
  problems: z.array(auditProblemSchema),
  problemCount: z.number().int(),
  notes: z.array(z.string()),
});
export type AuditVerification = z.infer<typeof auditVerificationSchema>;
