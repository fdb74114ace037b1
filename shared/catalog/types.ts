/** Where a catalog object lives, as pg_depend names it: catalog oid, object oid, column number (0 for the whole object). */
export interface Address {
  readonly classid: number;
  readonly objid: number;
  readonly objsubid: number;
}

export type Section = "none" | "pre-data" | "data" | "post-data";

/**
 * One catalog object as pg_dump would write it. `kind`, `name`, `schema`, `create`, `drop` and `owner` are the
 * fields desc, tag, namespace, defn, dropStmt and owner of an archive's table of contents (archive-format, section 4).
 */
export interface Entry {
  /** `kind schema name`: unique within a snapshot and stable over dump and restore. See entryKey. */
  readonly key: string;
  readonly kind: string;
  readonly schema: string | null;
  readonly name: string;
  readonly owner: string | null;
  readonly section: Section;
  readonly create: string;
  readonly drop: string | null;
  /** "" for the database's default tablespace, null where tablespaces do not apply. */
  readonly tablespace: string | null;
  /** Table access method: "heap" for tables and materialised views, else null. */
  readonly tableam: string | null;
  /** COPY statement; only for TABLE DATA. */
  readonly copy: string | null;
  /** The catalog object, for lookups in the same database; not part of the hash. */
  readonly address: Address;
  /** Keys of the entries that must exist before this one; sorted. */
  readonly dependencies: readonly string[];
  /** sha256 (hex) over kind, schema, name, owner, create, drop, tablespace, tableam. */
  readonly hash: string;
}

/** An object that the reader does not know how to write; archives and rollbacks that need it are refused. */
export interface UnknownObject {
  readonly kind: string;
  readonly identity: string;
  readonly address: Address;
  /** Keys of the entries that cannot be created without it, directly; sorted. */
  readonly neededBy: readonly string[];
}

/** All entries of a database at a moment, in an order in which they can be created. */
export interface Catalog {
  readonly entries: readonly Entry[];
  readonly unknown: readonly UnknownObject[];
  /** sha256 (hex) over key and hash of each entry, in key order. */
  readonly digest: string;
}

/** What a catalog read takes in. */
export interface CatalogScope {
  /**
   * Read the entries of these objects alone, of what belongs to them (a table's columns, defaults, constraints, indexes,
   * triggers, rules, policies, statistics, owned sequences, memberships in publications) and of what hangs on all of
   * these (comments, grants, labels), equal to those of a full read. Not a table's partitions, nor what is in a schema.
   * What does not exist (any more) is passed over. The digest is over the entries read.
   */
  readonly only?: readonly Address[];
  /** With `only`: without what belongs to them, with what hangs on them. */
  readonly exact?: boolean;
  /** Schemas left out with all that they hold; default: belay alone. */
  readonly excludeSchemas?: readonly string[];
  /** Read the entries of large objects too (kind BLOB, named by their oid); default false, which names them as unknown. */
  readonly largeObjects?: boolean;
}

export interface CatalogDifference {
  readonly removed: readonly Entry[];
  readonly added: readonly Entry[];
  readonly changed: readonly { readonly before: Entry; readonly after: Entry }[];
}
