/** A type as the generator sees it: what lies under domains, arrays and ranges is found by its oid. */
export interface SeedType {
  readonly oid: number;
  /** As format_type writes it, without a modifier. */
  readonly name: string;
  /** pg_type.typtype: b, c, d, e, p, r, m. */
  readonly sort: string;
  /** pg_type.typcategory. */
  readonly category: string;
  /** Element of an array, base of a domain, subtype of a range; 0: none. */
  readonly inner: number;
  /** Modifier that a domain gives to its base; -1: none. */
  readonly modifier: number;
  readonly notNull: boolean;
  readonly labels: readonly string[];
  /** Expressions over VALUE. */
  readonly checks: readonly string[];
  /** Attributes of a composite type. */
  readonly attributes: readonly { readonly type: number; readonly modifier: number }[];
}

export interface SeedColumn {
  readonly number: number;
  readonly name: string;
  readonly type: number;
  readonly modifier: number;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  /** Stored or virtual: takes no value. */
  readonly generated: boolean;
}

/** A condition that a row must meet: a CHECK, a domain's check or a partition's bound, as an SQL expression. */
export interface SeedCheck {
  readonly expression: string;
  readonly columns: readonly string[];
}

export interface SeedForeignKey {
  readonly columns: readonly string[];
  /** Oid of the table that it refers to. */
  readonly parent: number;
  readonly parentColumns: readonly string[];
}

export interface SeedTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly SeedColumn[];
  readonly checks: readonly SeedCheck[];
  readonly keys: readonly SeedForeignKey[];
  /** Oids of the partitioned tables above it, nearest first. */
  readonly ancestors: readonly number[];
  /** The project's own triggers run when a row comes in. */
  readonly hasTriggers: boolean;
  /** Sequences that belong to a column or feed its default. */
  readonly sequences: readonly { readonly name: string; readonly column: string }[];
}

export interface SeedSchema {
  /** Ordinary tables and leaf partitions. */
  readonly tables: readonly SeedTable[];
  readonly types: ReadonlyMap<number, SeedType>;
  /** Constraints that wait for COMMIT, quoted, with their schemas. */
  readonly deferred: readonly string[];
}

/** SQL of a value per column, one map per row. */
export type SeedRow = ReadonlyMap<string, string>;

export interface SeedOptions {
  /** Rows per table. */
  readonly rows: number;
  /** The same seed gives the same rows. */
  readonly seed: number;
  /** Only tables that hold no row get any. */
  readonly emptyOnly?: boolean;
}

export interface SeedReport {
  /** Tables that took no generated row. */
  readonly unseeded: readonly { readonly table: string; readonly why: string }[];
}
