import { z } from "zod";
import type { RowText } from "./read-rows.ts";
import type { Sealed } from "./sealed.ts";
import { type Anchor, sourceSchema } from "./types.ts";

export const exportFormats = ["jsonl", "csv"] as const;
export type ExportFormat = (typeof exportFormats)[number];

const headSchema = z.object({ id: z.number(), hash: z.string() });

/** The last line of an export: what it should hold, and where the log stood. */
export const exportEndSchema = z.object({
  format: z.literal("belay-audit-export/1"),
  from: z.number().int(),
  rows: z.number().int(),
  /** The last row of the export. */
  head: headSchema.nullable(),
  /** The last row of the log. */
  logHead: headSchema.nullable(),
  anchors: z.number().int(),
  /** The newest anchor that the database knew of. */
  remembered: z.object({ id: z.number(), key: z.string(), sha256: z.string() }).nullable(),
  source: sourceSchema,
  store: z.string().nullable(),
  exportedAt: z.string(),
  exportedBy: z.string(),
  notes: z.array(z.string()),
});
export type ExportEnd = z.infer<typeof exportEndSchema>;

interface Writer {
  readonly begin: string;
  row(row: RowText): string;
  anchor(anchor: Sealed<Anchor>): string;
  end(end: ExportEnd): string;
}

/** Columns of CSV; anchors and the end have their kind in the first one and JSON in `details`. */
export const csvColumns = [
  "id",
  "occurred_at",
  "actor",
  "action",
  "subject",
  "details",
  "previous_hash",
  "hash",
] as const;

const jsonl: Writer = {
  begin: "",
  row({ details, previousHash, hash, ...row }) {
    const head = JSON.stringify(row).slice(0, -1);
    return `${head},"details":${details},"previousHash":${JSON.stringify(previousHash)},"hash":${JSON.stringify(hash)}}\n`;
  },
  anchor: ({ document, signature }) => `${JSON.stringify({ anchor: { document, signature } })}\n`,
  end: (end) => `${JSON.stringify({ end })}\n`,
};

const csv: Writer = {
  begin: `${csvColumns.join(",")}\r\n`,
  row: (row) =>
    csvLine([
      String(row.id),
      row.occurredAt,
      row.actor,
      row.action,
      row.subject,
      row.details,
      row.previousHash,
      row.hash,
    ]),
  anchor: ({ document, signature }) => special("anchor", { document, signature }),
  end: (end) => special("end", end),
};

export const writers: Readonly<Record<ExportFormat, Writer>> = { jsonl, csv };

function special(kind: string, value: object): string {
  return csvLine([kind, "", "", "", "", JSON.stringify(value), "", ""]);
}

function csvLine(fields: readonly string[]): string {
  return `${fields.map((field) => (/[",\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",")}\r\n`;
}
