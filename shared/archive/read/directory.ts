import { decompress } from "../compression/decompress.ts";
import { collect, hashing, once } from "../digesting.ts";
import { withoutEndMarker } from "../format/copy-text.ts";
import { damaged } from "../format/damage.ts";
import { wholeInserts } from "../format/insert-text.ts";
import type { Toc, TocEntry } from "../format/toc.ts";
import { inOrder } from "../in-order.ts";
import type { ArchivedObject, Manifest } from "../types.ts";
import { type DataFile, type DirectoryFiles, filesOfManifest, listFiles, missingFile } from "./directory-files.ts";
import { readLargeObjectList } from "./large-object-list.ts";
import { checkFileName } from "./names.ts";
import type { ArchivePlace, LargeObject, TocArchive } from "./types.ts";

/** Large objects that are looked for and, when small, fetched ahead: each would wait for the store twice. */
const largeObjectsAhead = 8;
const smallObject = 64 * 1024;

/** Decompresses a file from the store, or from its stored bytes. */
type Read = (file: DataFile, stored?: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** Since this minor each BLOBS entry has a list of its own; before, there is one list of this name. */
const ownListsSince = 16;
const commonList = "blobs.toc";

/** An archive in directory format, Belay's own when there is a manifest. Throws `archive_invalid` for hostile names. */
export async function openDirectory(place: ArchivePlace, toc: Toc, manifest: Manifest | null): Promise<TocArchive> {
  checkDataFiles(toc);
  const files = manifest === null ? await listFiles(place) : filesOfManifest(manifest);
  const sums = new Map(manifest?.objects.map((object) => [object.file, object]));
  const read: Read = (file, stored = place.store.read(place.prefix + file.name)) => {
    const sum = sums.get(file.name);
    return decompress(file.compression, sum === undefined ? stored : compared(stored, sum), file.name);
  };
  return {
    format: manifest === null ? "directory" : "belay",
    place,
    toc,
    manifest,
    data: (entry) => readData(place, files, read, entry),
    largeObjects: (entry) => readLargeObjects(place, files, read, listOf(toc, entry)),
    dataBytes: (entry) => storedBytes(toc, files, entry),
  };
}

/** Refuses names that lead elsewhere, and a file for two entries: neither is of pg_dump. */
function checkDataFiles(toc: Toc): void {
  const seen = new Set<string>();
  for (const entry of toc.entries) {
    const file = entry.hadDumper && entry.desc === "BLOBS" ? listOf(toc, entry) : entry.file;
    if (file === "") continue;
    const name = checkFileName(file, `the entry of ${entry.desc} ${entry.tag}`).replace(/\.(gz|lz4|zst)$/, "");
    if (seen.has(name)) throw damaged(`the table of contents names the file ${file} for two entries`);
    seen.add(name);
  }
}

function listOf(toc: Toc, entry: TocEntry): string {
  return toc.minor < ownListsSince ? commonList : entry.file;
}

async function* readData(
  place: ArchivePlace,
  files: DirectoryFiles,
  read: Read,
  entry: TocEntry,
): AsyncGenerator<Uint8Array> {
  const what = `the data of ${entry.namespace}.${entry.tag}`;
  if (entry.file === "") throw damaged(`the table of contents names no file for ${what}`);
  const file = await files.find(entry.file);
  if (file === null) throw missingFile(entry.file, place, what);
  if (entry.copyStmt === null) yield* wholeInserts(read(file), file.name);
  else yield* withoutEndMarker(read(file), file.name);
}

async function* readLargeObjects(
  place: ArchivePlace,
  files: DirectoryFiles,
  read: Read,
  list: string,
): AsyncGenerator<LargeObject> {
  const listFile = await files.find(list);
  if (listFile === null) throw missingFile(list, place, "the list of large objects");
  const listed = readLargeObjectList(read(listFile), list);
  const found = inOrder(listed, largeObjectsAhead, async ({ oid, file }) => {
    const one = await files.find(file);
    if (one === null) throw missingFile(file, place, `large object ${oid}`);
    return { oid, file: one, stored: one.bytes <= smallObject ? await storedBytesOf(place, one) : undefined };
  });
  for await (const { oid, file, stored } of found)
    yield { oid, content: stored === undefined ? read(file) : read(file, once(stored)) };
}

/** All stored bytes of a small file; an object may be larger than was said of it. */
async function storedBytesOf(place: ArchivePlace, file: DataFile): Promise<Uint8Array> {
  try {
    return await collect(place.store.read(place.prefix + file.name), smallObject);
  } catch (error) {
    if (error instanceof RangeError) throw damaged(`${file.name} has more than ${file.bytes} bytes`);
    throw error;
  }
}

function storedBytes(toc: Toc, files: DirectoryFiles, entry: TocEntry): number | null {
  if (entry.desc !== "BLOBS") return entry.file === "" ? null : (files.listed(entry.file)?.bytes ?? null);
  const only = toc.entries.filter(({ desc }) => desc === "BLOBS").length === 1;
  return only ? files.largeObjectBytes : null;
}

/** Passes stored bytes on; throws at their end when they are not those that were written. */
async function* compared(chunks: AsyncIterable<Uint8Array>, object: ArchivedObject): AsyncGenerator<Uint8Array> {
  const stored = hashing();
  yield* stored.pass(chunks);
  const { bytes, sha256 } = stored.finish();
  if (bytes !== object.bytes) throw damaged(`${object.file} has ${bytes} bytes instead of ${object.bytes}`);
  if (sha256 !== object.sha256) throw damaged(`${object.file} has another sha256 than was written`);
}
