import type { TocEntry } from "./format/toc.ts";
import type { TocArchive } from "./read/types.ts";
import { needsOf } from "./restore/preflight/toc-needs.ts";

/** What a stock archive holds, as its table of contents says it: nothing of its data was read. */
export interface ArchiveDescription {
  readonly archive: string;
  readonly format: TocArchive["format"];
  /** pg_dump's archive format, as 1.14. */
  readonly formatVersion: string;
  readonly dumpVersion: string | null;
  readonly serverVersion: string | null;
  readonly database: string | null;
  /** ISO 8601 without a zone: the clock of the host that dumped. */
  readonly createdAt: string;
  readonly compression: string;
  readonly encoding: string;
  readonly entries: number;
  /** `storedBytes` is null when nobody knows. `inserts`: the rows are INSERT statements. */
  readonly tables: readonly {
    readonly schema: string | null;
    readonly table: string;
    readonly storedBytes: number | null;
    readonly inserts: boolean;
  }[];
  readonly largeObjects: number;
  readonly largeObjectBytes: number | null;
  readonly extensions: readonly string[];
  /** Roles that owners, grants and policies name. */
  readonly roles: readonly string[];
}

/** Tells what is in an archive by its table of contents. */
export function describeArchive(archive: TocArchive): ArchiveDescription {
  const { toc, place } = archive;
  const needs = needsOf(toc.entries, archive.manifest, {});
  return {
    archive: place.url,
    format: archive.format,
    formatVersion: `1.${toc.minor}`,
    dumpVersion: toc.dumpVersion,
    serverVersion: toc.serverVersion,
    database: toc.database,
    createdAt: toc.createdAt.toISOString().slice(0, 19),
    compression: toc.compression,
    encoding: toc.encoding,
    entries: toc.entries.length,
    tables: toc.entries
      .filter(({ desc, hadDumper }) => desc === "TABLE DATA" && hadDumper)
      .map((entry) => ({
        schema: entry.namespace,
        table: entry.tag,
        storedBytes: archive.dataBytes(entry),
        inserts: entry.copyStmt === null,
      })),
    largeObjects: toc.entries.reduce((sum, entry) => sum + largeObjectsOf(entry), 0),
    largeObjectBytes: sumOrNull(toc.entries.filter(({ desc }) => desc === "BLOBS").map(archive.dataBytes)),
    extensions: needs.extensions.map(({ name }) => name).sort(),
    roles: needs.roles,
  };
}

/** Up to 1.15 one BLOB entry each, since then lists in BLOB METADATA. */
function largeObjectsOf({ desc, defn }: TocEntry): number {
  if (desc === "BLOB") return 1;
  return desc === "BLOB METADATA" ? (defn ?? "").split("\n").filter((line) => line.trim() !== "").length : 0;
}

function sumOrNull(sizes: readonly (number | null)[]): number | null {
  return sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}
