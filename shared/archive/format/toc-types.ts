import type { Section } from "../../catalog/types.ts";

/** Where a custom-format archive keeps an entry's data. `position` is the file offset of the block's first byte. */
export type DataOffset = { readonly state: "unknown" } | { readonly state: "none" } | DataPosition;
export interface DataPosition {
  readonly state: "known";
  readonly position: bigint;
}

/** One entry of an archive's table of contents; fields as pg_dump names them (archive format, section 4). */
export interface TocEntry {
  readonly dumpId: number;
  readonly hadDumper: boolean;
  /** Oid of the catalog that the object is in, as decimal text; "0" for none. */
  readonly tableoid: string;
  readonly oid: string;
  readonly tag: string;
  readonly desc: string;
  readonly section: Section;
  readonly defn: string | null;
  readonly dropStmt: string | null;
  readonly copyStmt: string | null;
  readonly namespace: string | null;
  readonly tablespace: string | null;
  /** Since 1.14. */
  readonly tableam: string | null;
  /** `pg_class.relkind` code, 0 for none; since 1.16. */
  readonly relkind?: number;
  readonly owner: string | null;
  /** dumpIds; may name ids that are not in the table of contents. */
  readonly dependencies: readonly number[];
  /** Directory format: name of the data file, "" for none. */
  readonly file: string;
  /** Custom format only. */
  readonly offset?: DataOffset;
}

export interface Toc {
  /** Minor of the archive version 1.x: 12 to 16 are read, 14 is written. */
  readonly minor: number;
  readonly format: "directory" | "custom";
  readonly compression: "none" | "gzip" | "lz4" | "zstd";
  /**
   * Name of the encoding that the data's bytes are in, from the ENCODING entry; SQL_ASCII without one. The strings of
   * the entries are decoded: statements go to the server as UTF8, data under this `client_encoding`.
   */
  readonly encoding: string;
  /** Wall clock of the host that dumped, in the UTC fields of the date: the format stores no zone. */
  readonly createdAt: Date;
  readonly database: string | null;
  readonly serverVersion: string | null;
  readonly dumpVersion: string | null;
  /** Bytes of an integer, without its sign, here and in the blocks of a custom-format file. */
  readonly intSize: number;
  readonly entries: readonly TocEntry[];
  /** Custom format: where the first data block begins. */
  readonly end?: number;
}
