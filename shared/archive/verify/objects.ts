import { isBelayError } from "../../errors.ts";
import { mapPooled } from "../../pool.ts";
import { gunzip } from "../compression/gzip.ts";
import { collect, hashing } from "../digesting.ts";
import { counted, withoutEndMarker } from "../format/copy-text.ts";
import { readToc, type Toc } from "../format/toc.ts";
import { tocFile } from "../names.ts";
import { readLargeObjectList } from "../read/large-object-list.ts";
import { checkFileName } from "../read/names.ts";
import { largestToc } from "../read/table-of-contents.ts";
import type { ArchivePlace } from "../read/types.ts";
import type { ArchivedLargeObject, ArchivedObject, ArchivedTable, Manifest } from "../types.ts";

/** What the store is compared with. */
type ArchivedParts = Pick<Manifest, "tables" | "entries" | "objects" | "largeObjects">;

type Place = Pick<ArchivePlace, "store" | "prefix">;

const largeObjectList = "blobs.toc";

/** Objects that are read at the same time: small ones wait for the store, large ones for the core that decompresses. */
const objectsAtOnce = 4;

/** Problems in the objects of one of Belay's own archives, each read to its end, a few at a time, with memory flat. */
export async function verifyObjects(
  place: Place,
  parts: ArchivedParts,
  onObject?: (object: ArchivedObject, index: number) => void,
): Promise<string[]> {
  const known = new Map<string, Known>();
  for (const table of parts.tables) known.set(table.file, { table });
  for (const largeObject of parts.largeObjects) known.set(largeObject.file, { largeObject });
  const { once, twice } = byFile(parts.objects);
  const found = await mapPooled(once, objectsAtOnce, (object, index) => {
    onObject?.(object, index);
    return problemsIn(() => verifyObject(place, object, known.get(object.file), parts));
  });
  const problems = [...twice.map((file) => `${file} is among the objects twice`), ...found.flat()];
  for (const { file } of once) known.delete(file);
  for (const [file, { table }] of known)
    problems.push(`${file} is a ${table ? "table's data file" : "large object's file"}, but not among the objects`);
  const files = new Set(once.map(({ file }) => file));
  if (!files.has(tocFile)) problems.push(`${tocFile} is not among the objects`);
  if (parts.largeObjects.length > 0 && !files.has(largeObjectList))
    problems.push(`${largeObjectList} is not among the objects`);
  return problems;
}

/** Each file is read once, however often a forged manifest names it. */
function byFile(objects: readonly ArchivedObject[]): { once: ArchivedObject[]; twice: string[] } {
  const once = new Map<string, ArchivedObject>();
  const twice = new Set<string>();
  for (const object of objects)
    if (once.has(object.file)) twice.add(object.file);
    else once.set(object.file, object);
  return { once: [...once.values()], twice: [...twice] };
}

/** What the manifest says of a file, beside its size and sum. */
interface Known {
  readonly table?: ArchivedTable;
  readonly largeObject?: ArchivedLargeObject;
}

async function verifyObject(
  place: Place,
  object: ArchivedObject,
  known: Known | undefined,
  parts: ArchivedParts,
): Promise<string[]> {
  const stored = hashing();
  const file = checkFileName(object.file, "the manifest");
  const chunks = stored.pass(place.store.read(place.prefix + file));
  const problems = await problemsIn(() => decode(chunks, object, known, parts));
  // After a decoding error the rest was not read.
  if (problems.length > 0) return problems;
  for await (const _ of chunks);
  const { bytes, sha256 } = stored.finish();
  if (bytes !== object.bytes) problems.push(`${object.file} has ${bytes} bytes instead of ${object.bytes}`);
  else if (sha256 !== object.sha256) problems.push(`${object.file} has another sha256 than was written`);
  return problems;
}

async function decode(
  chunks: AsyncIterable<Uint8Array>,
  object: ArchivedObject,
  known: Known | undefined,
  parts: ArchivedParts,
): Promise<string[]> {
  if (known?.table !== undefined) return await decodeTable(chunks, known.table);
  if (known?.largeObject !== undefined) return await decodeLargeObject(chunks, known.largeObject);
  if (object.file === tocFile) return await decodeToc(chunks, parts);
  if (object.file === largeObjectList) return await decodeLargeObjectList(chunks, parts);
  return [];
}

async function decodeTable(chunks: AsyncIterable<Uint8Array>, table: ArchivedTable): Promise<string[]> {
  const count = { rows: 0, bytes: 0 };
  for await (const _ of counted(withoutEndMarker(gunzip(chunks, table.file), table.file), count));
  const name = `${table.file} (${table.schema}.${table.table})`;
  if (count.rows !== table.rows) return [`${name} holds ${count.rows} rows instead of ${table.rows}`];
  if (count.bytes !== table.rawBytes)
    return [`${name} holds ${count.bytes} bytes of rows instead of ${table.rawBytes}`];
  return [];
}

async function decodeLargeObject(chunks: AsyncIterable<Uint8Array>, object: ArchivedLargeObject): Promise<string[]> {
  const content = hashing();
  for await (const _ of content.pass(gunzip(chunks, object.file)));
  const { bytes, sha256 } = content.finish();
  const name = `${object.file} (large object ${object.oid})`;
  if (bytes !== object.bytes) return [`${name} holds ${bytes} bytes instead of ${object.bytes}`];
  return sha256 === object.contentSha256 ? [] : [`${name} holds another content than was written`];
}

async function decodeLargeObjectList(chunks: AsyncIterable<Uint8Array>, parts: ArchivedParts): Promise<string[]> {
  const wanted = new Map(parts.largeObjects.map(({ oid, file }) => [oid, file]));
  const problems: string[] = [];
  for await (const { oid, file } of readLargeObjectList(chunks, largeObjectList)) {
    if (wanted.get(oid) !== `${file}.gz`) problems.push(`${largeObjectList} names large object ${oid} as ${file}`);
    wanted.delete(oid);
  }
  for (const oid of wanted.keys()) problems.push(`${largeObjectList} does not name large object ${oid}`);
  return problems;
}

async function decodeToc(chunks: AsyncIterable<Uint8Array>, parts: ArchivedParts): Promise<string[]> {
  const toc = readToc(await collect(chunks, largestToc));
  return [...dataFileProblems(toc, parts), ...entryProblems(toc, parts), ...largeObjectsProblem(toc, parts)];
}

function dataFileProblems(toc: Toc, parts: ArchivedParts): string[] {
  const inToc = new Set(toc.entries.filter(({ desc }) => desc === "TABLE DATA").map(({ file }) => `${file}.gz`));
  const inManifest = new Set(parts.tables.map(({ file }) => file));
  return [
    ...[...inManifest].filter((file) => !inToc.has(file)).map((file) => `${tocFile} has no entry for ${file}`),
    ...[...inToc]
      .filter((file) => !inManifest.has(file))
      .map((file) => `${tocFile} names ${file}, the manifest does not`),
  ];
}

function largeObjectsProblem(toc: Toc, parts: ArchivedParts): string[] {
  const wanted = parts.largeObjects.length > 0;
  const there = toc.entries.some(({ desc }) => desc === "BLOBS");
  if (wanted === there) return [];
  return [
    wanted
      ? `${tocFile} has no entry for the large objects`
      : `${tocFile} has an entry for large objects, the manifest has none`,
  ];
}

/** Entries that pg_dump keeps for itself or that come from the manifest's tables, sequences and large objects. */
const madeHere = new Set([
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
  "TABLE DATA",
  "SEQUENCE SET",
  "MATERIALIZED VIEW DATA",
  "BLOBS",
]);

function entryProblems(toc: Toc, parts: ArchivedParts): string[] {
  const found = toc.entries.filter((entry) => !madeHere.has(entry.desc) && !ofDatabase(entry)).length;
  const wanted = parts.entries.length;
  return found === wanted ? [] : [`${tocFile} has ${found} catalog entries instead of ${wanted}`];
}

/** The database's own entries come with the archive for `pg_restore --create`, but are in no catalog. */
function ofDatabase({ desc, tag, section }: Toc["entries"][number]): boolean {
  return desc.startsWith("DATABASE") || (section === "none" && tag.startsWith("DATABASE "));
}

async function problemsIn(check: () => Promise<string[]>): Promise<string[]> {
  try {
    return await check();
  } catch (error) {
    if (isBelayError(error, "archive_invalid") || isBelayError(error, "store_missing_object")) return [error.message];
    if (error instanceof RangeError) return [error.message];
    throw error;
  }
}
