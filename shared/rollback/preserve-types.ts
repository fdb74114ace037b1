import { z } from "zod";

/**
 * `archive`: in the store alone. `quarantine`: plainly dropped tables and types are moved to a private schema instead, at once
 * whatever their size. `copy`: archived, and kept in the database too, as tables of a private schema.
 */
export const preserveModes = ["archive", "quarantine", "copy"] as const;
export const preserveModeSchema = z.enum(preserveModes);
export type PreserveMode = z.infer<typeof preserveModeSchema>;

export const preservationSchema = z.object({
  mode: preserveModeSchema,
  /** The private schema; null when nothing is kept. What comes of a second schema is kept in one of its own. */
  schema: z.string().nullable(),
  /** What is kept: from where, in which schema, and under which name. */
  kept: z.array(
    z.object({
      kind: z.enum(["table", "type", "sequence", "columns"]),
      schema: z.string(),
      name: z.string(),
      keptIn: z.string(),
      as: z.string(),
      /** Of what is moved, which keeps it, or of the table that a copy is of. */
      oid: z.number().int(),
    }),
  ),
  /** Days after the rollback from which on `belay quarantine purge` removes it. */
  days: z.number().int(),
  /** Why something that goes is archived instead. */
  notes: z.array(z.string()),
});
export type Preservation = z.infer<typeof preservationSchema>;

/** What a rollback kept in the database, on its record. */
export const preservedSchema = z.object({
  mode: preserveModeSchema,
  schemas: z.array(z.string()),
  kept: preservationSchema.shape.kept,
  /** From when on it may be purged, ISO 8601. */
  until: z.string(),
});
export type Preserved = z.infer<typeof preservedSchema>;
