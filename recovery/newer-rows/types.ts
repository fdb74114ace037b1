import { z } from "zod";

const file = z.object({
  /** Key in the store: gzip of CSV with a header line. */
  key: z.string(),
  rows: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
});

/** Rows of one table that the backup does not have as they are today. */
export const newerTableSchema = z.object({
  schema: z.string(),
  table: z.string(),
  new: z.number().int().nonnegative(),
  changed: z.number().int().nonnegative(),
  /** Rows that were deleted since the backup: a restore brings them back. */
  deleted: z.number().int().nonnegative(),
  /** False: there is no primary key that both know, so a changed row counts as a deleted and a new one. */
  byKey: z.boolean(),
  /** True: the backup has no such table. */
  absent: z.boolean(),
  /** Columns that the backup's table does not have: they are in the files, but were not compared. */
  newColumns: z.array(z.string()),
  files: z.object({ new: file.nullable(), changed: file.nullable() }),
});
export type NewerTable = z.infer<typeof newerTableSchema>;

/** `newer-rows/<id>/index.json` in the store. */
export const newerRowsSchema = z.object({
  format: z.literal("belay-newer-rows/1"),
  id: z.string(),
  /** The backup that today's rows were compared with. */
  archiveId: z.string(),
  database: z.string(),
  comparedAt: z.string(),
  tables: z.array(newerTableSchema),
  /** Tables of the backup that are gone today: a restore brings them back. */
  goneSince: z.array(z.string()),
});
export type NewerRows = z.infer<typeof newerRowsSchema>;

export const newerRowsPrefix = "newer-rows/";
