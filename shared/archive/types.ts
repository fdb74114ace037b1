import { z } from "zod";

/** Archives live under `archives/<id>/` in the store: toc.dat, `<dumpId>.dat.gz` per table, manifest.json last. */
export const archivesPrefix = "archives/";

export const archivedObjectSchema = z.object({
  /** Name within the archive's prefix. */
  file: z.string(),
  /** Stored bytes. */
  bytes: z.number().int().nonnegative(),
  /** sha256 (hex) of the stored bytes. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const archivedTableSchema = z.object({
  schema: z.string(),
  table: z.string(),
  /** Columns in COPY order. */
  columns: z.array(z.string()),
  rows: z.number().int().nonnegative(),
  /** Bytes of raw COPY text, the end marker not counted. */
  rawBytes: z.number().int().nonnegative(),
  /** Sum of row hashes over a name-ordered column list, as decimal text; see shared/catalog/table-digest.ts. */
  digest: z.string(),
  file: z.string(),
  /**
   * `table`: a whole table. `columns`: a side table of key and lost columns, merged by undo. `configuration`: rows that
   * users added to a table of an extension; the table itself comes with the extension.
   */
  role: z.enum(["table", "columns", "configuration"]),
  /** For role `columns`: the surviving table and how its rows are found again. */
  mergesInto: z
    .object({ schema: z.string(), table: z.string(), key: z.array(z.string()), columns: z.array(z.string()) })
    .nullable(),
});

export const archivedSequenceSchema = z.object({
  schema: z.string(),
  name: z.string(),
  /** As decimal text: bigint. */
  lastValue: z.string(),
  isCalled: z.boolean(),
});

export const archivedLargeObjectSchema = z.object({
  oid: z.number().int().positive(),
  /** Bytes of its content, and their sha256 (hex). */
  bytes: z.number().int().nonnegative(),
  contentSha256: z.string().regex(/^[0-9a-f]{64}$/),
  file: z.string(),
});

export const archivedEntrySchema = z.object({ key: z.string(), hash: z.string() });

/** What an archive holds, written last: an archive without its manifest does not exist. */
export const manifestSchema = z.object({
  format: z.literal("belay-archive/1"),
  id: z.string(),
  /**
   * `rollback`: what one rollback destroys. `dump`: a whole database. `undo`: what an undo replaces. `quarantine`: what a
   * rollback moved to a private schema, and was purged from there.
   */
  purpose: z.enum(["rollback", "dump", "undo", "quarantine"]),
  /** Of a dump: `supabase` leaves out the schemas that a Supabase project manages itself; absent: `all`. */
  profile: z.enum(["all", "supabase"]).optional(),
  source: z.object({
    systemIdentifier: z.string(),
    databaseOid: z.number().int(),
    database: z.string(),
    serverVersion: z.string(),
    serverVersionNum: z.number().int(),
  }),
  /** When the snapshot was taken, ISO 8601. */
  snapshotAt: z.string(),
  createdBy: z.string(),
  reason: z.string(),
  migration: z.string().nullable(),
  rollbackId: z.string().nullable(),
  tables: z.array(archivedTableSchema),
  sequences: z.array(archivedSequenceSchema),
  /** Absent in archives written before large objects were: none. */
  largeObjects: z.array(archivedLargeObjectSchema).default([]),
  extensions: z.array(z.object({ name: z.string(), version: z.string(), schema: z.string() })),
  /** Roles that the archive's owners and grants name. */
  roles: z.array(z.string()),
  /** Entries of toc.dat with their hashes. */
  entries: z.array(archivedEntrySchema),
  /** Foreign keys that lead out of a rollback's archive and are therefore not in toc.dat. */
  external: z.array(z.object({ name: z.string(), create: z.string(), references: z.string() })),
  /** Digest of the whole catalog at the snapshot. */
  catalogDigest: z.string(),
  objects: z.array(archivedObjectSchema),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ArchivedTable = z.infer<typeof archivedTableSchema>;
export type ArchivedSequence = z.infer<typeof archivedSequenceSchema>;
export type ArchivedLargeObject = z.infer<typeof archivedLargeObjectSchema>;
export type ArchivedObject = z.infer<typeof archivedObjectSchema>;
