import type { Toc, TocEntry } from "../format/toc.ts";
import { missingFrom, OidSet } from "../oid-set.ts";
import type { TocArchive } from "../read/types.ts";

const mostNamed = 5;

/** Reads the large objects of one BLOBS entry to their ends, adding them to those that were read. Throws `archive_invalid`. */
export async function readLargeObjects(
  archive: TocArchive,
  entry: TocEntry,
  read: OidSet,
  onBytes: (bytes: number) => void,
): Promise<string[]> {
  const problems: string[] = [];
  for await (const { oid, content } of archive.largeObjects(entry)) {
    for await (const chunk of content) onBytes(chunk.length);
    if (!read.add(oid) && problems.length < mostNamed) problems.push(`large object ${oid} is in the archive twice`);
  }
  return problems;
}

/** Large objects that the table of contents creates, against those whose content was read. */
export function largeObjectProblems(toc: Toc, read: OidSet): string[] {
  const created = createdLargeObjects(toc);
  // An archive of data alone creates none, and one of definitions alone (--section=pre-data) has no content.
  if (created.size === 0 || !toc.entries.some(({ section }) => section === "data")) return [];
  const missing = missingFrom(read, created, mostNamed);
  const unknown = missingFrom(created, read, mostNamed);
  return [
    ...(missing.length === 0 ? [] : [`the content of large objects is missing: ${missing.join(", ")}`]),
    ...(unknown.length === 0 ? [] : [`no entry creates the large objects ${unknown.join(", ")}`]),
  ];
}

/** Up to 1.15 one BLOB entry each; since then lists of oids in BLOB METADATA (archive format, section 5). */
function createdLargeObjects(toc: Toc): OidSet {
  const created = new OidSet();
  for (const { desc, tag, defn } of toc.entries) {
    const oids = desc === "BLOB" ? [tag] : desc === "BLOB METADATA" ? (defn ?? "").trim().split("\n") : [];
    for (const oid of oids) if (/^\d{1,10}$/.test(oid)) created.add(Number(oid));
  }
  return created;
}
