import type { ObjectStore } from "../../store/types.ts";
import type { Toc, TocEntry } from "../format/toc.ts";
import type { Manifest } from "../types.ts";

/**
 * Where an archive lies: objects of `store` whose keys begin with `prefix`, which ends with a slash or is "" (Belay's
 * and directory format), or the one object `prefix` (custom format, plain SQL).
 */
export interface ArchivePlace {
  readonly store: ObjectStore;
  readonly prefix: string;
  /** The place without credentials, for people and for errors. */
  readonly url: string;
}

/** One large object; `content` must be read to its end before the next one is asked for. */
export interface LargeObject {
  readonly oid: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** An archive with a table of contents: Belay's own, or stock pg_dump's in directory or custom format. */
export interface TocArchive {
  readonly format: "belay" | "directory" | "custom";
  readonly place: ArchivePlace;
  readonly toc: Toc;
  /** Of Belay's own archives; else null. */
  readonly manifest: Manifest | null;
  /**
   * Streams an entry's data, decompressed: COPY text without its end marker, or SQL text where `copyStmt` is null.
   * When the manifest knows the object, its size and sha256 are checked at the end. Throws `archive_invalid` when it is
   * damaged or cut, before the stream ends.
   */
  data(entry: TocEntry): AsyncIterable<Uint8Array>;
  /** The large objects of a BLOBS entry, in the order in which they are stored. Throws `archive_invalid`. */
  largeObjects(entry: TocEntry): AsyncIterable<LargeObject>;
  /** Stored bytes of an entry's data, for progress and for taking the largest first; null when nobody knows. */
  dataBytes(entry: TocEntry): number | null;
}

/** A statement's own bytes, where the script's client_encoding is not UTF8 and the statement not plain ASCII. */
export interface EncodedSql {
  readonly bytes: Uint8Array;
  readonly encoding: string;
}

/** A piece of a plain SQL script, in order. `line` counts from 1. */
export type ScriptPart =
  | {
      readonly kind: "statement";
      /** Without blanks and comments around it, and without its semicolon. */
      readonly text: string;
      readonly line: number;
      /** Rows in the VALUES lists at the statement's top level. */
      readonly valueRows: number;
      readonly encoded: EncodedSql | null;
    }
  /** `rows` is the COPY data without its end marker, and must be read to its end before the next part is asked for. */
  | {
      readonly kind: "copy";
      readonly statement: string;
      readonly line: number;
      readonly encoded: EncodedSql | null;
      /** Line of the first row. */
      readonly dataLine: number;
      /** The script's client_encoding here, in which the rows are. */
      readonly encoding: string;
      readonly rows: AsyncIterable<Uint8Array>;
      /** Line breaks in the rows read so far: rows, but for CSV with line breaks in values. Only until the next part. */
      linesRead(): number;
    }
  /** psql's `\connect`: what follows is for another database of the server; null: the same one again. */
  | { readonly kind: "connect"; readonly database: string | null; readonly line: number }
  /** A comment line between statements, with its dashes: pg_dump says there what it wrote and when it is done. */
  | { readonly kind: "comment"; readonly text: string; readonly line: number };

/** Plain SQL as pg_dump writes it, compressed or not. It can only be read from its beginning. */
export interface PlainArchive {
  readonly format: "plain";
  readonly place: ArchivePlace;
  /** Stored bytes, for progress; null when nobody knows. */
  readonly bytes: number | null;
  /** Reads the script anew, decompressed. Throws `archive_invalid` with the line where it does not read. */
  parts(options?: { onBytes?(stored: number): void }): AsyncIterable<ScriptPart>;
}

/** An archive opened for reading, whoever wrote it. Nothing that it says is trusted. */
export type OpenedArchive = TocArchive | PlainArchive;
