import { z } from "zod";
import { exportAudit } from "../../shared/audit/export.ts";
import { type ExportFormat, exportFormats } from "../../shared/audit/export-format.ts";
import { listAudit } from "../../shared/audit/list.ts";
import { sealRecordsApart } from "../../shared/audit/seal-records.ts";
import { parsePublicKey } from "../../shared/audit/sealed.ts";
import { auditRowSchema, auditVerificationSchema } from "../../shared/audit/types.ts";
import { verifyAuditLog } from "../../shared/audit/verify.ts";
import { plainText } from "../../shared/text.ts";
import { pageOfSchema, pageQuery, route } from "../route.ts";

const rowId = z.coerce.number().int().min(1).max(1e15);
const contentTypes: Readonly<Record<ExportFormat, string>> = {
  jsonl: "application/jsonl; charset=utf-8",
  csv: "text/csv; charset=utf-8",
};

export const auditRoutes = [
  route({
    method: "get",
    path: "/audit",
    summary: "Rows of the audit log with their hashes, newest first.",
    role: "viewer",
    query: pageQuery.extend({
      action: plainText(200).optional(),
      subject: plainText(500).optional(),
      actor: plainText(500).optional(),
    }),
    response: pageOfSchema(auditRowSchema),
    handle: async ({ belay, query }) => {
      const { items, next } = await listAudit(belay, query);
      return { items: [...items], next };
    },
  }),
  route({
    method: "get",
    path: "/audit/verify",
    summary: "Walk the whole log, and compare it with the anchors and receipts of the store and with the records.",
    role: "viewer",
    query: z.object({
      key: plainText(1_000).optional().describe("Ed25519 public key, SPKI in base64, that must have signed them"),
    }),
    response: auditVerificationSchema,
    handle: ({ belay, query }) =>
      verifyAuditLog(belay, query.key === undefined ? {} : { key: parsePublicKey(query.key) }),
  }),
  route({
    method: "post",
    path: "/audit/anchor",
    summary: "Put the log's head into the store, and receipts that are not written yet. For a schedule.",
    role: "operator",
    response: z.object({ notes: z.array(z.string()) }).describe("Why something could not be written; empty: all is"),
    handle: async ({ belay }) => ({ notes: await sealRecordsApart(belay) }),
  }),
  route({
    method: "get",
    path: "/audit/export",
    summary:
      "The log as a file that `belay audit verify --file` verifies without a database. Without its last line it is cut.",
    role: "operator",
    query: z
      .object({ from: rowId.optional(), to: rowId.optional(), format: z.enum(exportFormats).default("jsonl") })
      .describe("Rows from one id to another"),
    streams: Object.values(contentTypes),
    response: z.string(),
    handle: async ({ belay, query: { from, to, format } }) => ({
      contentType: contentTypes[format],
      file: `audit.${format}`,
      text: exportAudit(belay, {
        format,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      }),
    }),
  }),
];
