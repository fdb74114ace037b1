import { incidentFiles, manifestFile, readmeFile, receiptFile, tocFile } from "../names.ts";
import type { TocArchive } from "../read/types.ts";

const mostNamed = 5;
/** What Belay puts beside an archive's data. */
const ownFiles = [manifestFile, readmeFile, receiptFile, ...incidentFiles];
const suffix = /\.(gz|lz4|zst)$/;

/** Notes on files in a folder that no entry uses: perhaps of another dump. Large objects are left to their lists. */
export async function unusedFiles(archive: TocArchive): Promise<string[]> {
  if (archive.format !== "directory") return [];
  const used = new Set([
    tocFile,
    "blobs.toc",
    ...ownFiles,
    ...archive.toc.entries.map(({ file }) => file.replace(suffix, "")),
  ]);
  const unused: string[] = [];
  let count = 0;
  for await (const { key } of archive.place.store.list(archive.place.prefix)) {
    const name = key.slice(archive.place.prefix.length);
    if (used.has(name.replace(suffix, "")) || /^blob_\d+\.dat/.test(name)) continue;
    count += 1;
    if (unused.length < mostNamed) unused.push(name);
  }
  if (count === 0) return [];
  const more = count > unused.length ? ` and ${count - unused.length} more` : "";
  return [
    `no entry uses ${unused.join(", ")}${more}: ${count === 1 ? "it is" : "they are"} of something else, or left from another dump`,
  ];
}
