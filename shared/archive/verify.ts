import { BelayError, isBelayError } from "../errors.ts";
import type { ObjectStore } from "../store/types.ts";
import { gunzip } from "./compression/gzip.ts";
import { collect, hashing } from "./digesting.ts";
import { counted, withoutEndMarker } from "./format/copy-text.ts";
import { readToc, type Toc } from "./format/toc.ts";
import { readManifest } from "./list.ts";
import { archiveKey, tocFile } from "./names.ts";
import type { ArchivedObject, ArchivedTable, Manifest } from "./types.ts";

/** What the read-back compares the store with. */
export type ArchivedParts = Pick<Manifest, "tables" | "entries" | "objects">;

export interface Verification {
  readonly archiveId: string;
  /** null when it cannot be read. */
  readonly manifest: Manifest | null;
  /** Each names the object and what is wrong with it; empty when every byte is as it was written. */
  readonly problems: string[];
}

const largestToc = 256 * 1024 * 1024;

/** Reads, hashes and decodes every byte of an archive. Throws only when there is no such archive or the store fails. */
export async function verifyArchive(store: ObjectStore, id: string): Promise<Verification> {
  let manifest: Manifest;
  try {
    manifest = await readManifest(store, id);
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
    return { archiveId: id, manifest: null, problems: [error.message] };
  }
  return { archiveId: id, manifest, problems: await verifyParts(store, id, manifest) };
}

/** As verifyArchive, but a problem is an error: throws `archive_invalid` naming each. */
export async function requireVerified(store: ObjectStore, id: string): Promise<Manifest> {
  const { manifest, problems } = await verifyArchive(store, id);
  if (manifest !== null && problems.length === 0) return manifest;
  throw new BelayError("archive_invalid", `the archive ${id} is damaged: ${problems.join("; ")}`, {
    hint: "Use another archive; list them with `belay archives`.",
    details: { archive: id, problems },
  });
}

/** Problems found in the objects themselves, one after the other, with memory flat. */
export async function verifyParts(store: ObjectStore, id: string, parts: ArchivedParts): Promise<string[]> {
  const tables = new Map(parts.tables.map((table) => [table.file, table]));
  const problems: string[] = [];
  for (const object of parts.objects) {
    const table = tables.get(object.file);
    problems.push(...(await found(() => verifyObject(store, id, object, table, parts))));
    tables.delete(object.file);
  }
  for (const file of tables.keys()) problems.push(`${file} is a table's data file, but not among the objects`);
  if (!parts.objects.some(({ file }) => file === tocFile)) problems.push(`${tocFile} is not among the objects`);
  return problems;
}

async function verifyObject(
  store: ObjectStore,
  id: string,
  object: ArchivedObject,
  table: ArchivedTable | undefined,
  parts: ArchivedParts,
): Promise<string[]> {
  const stored = hashing();
  const chunks = stored.pass(store.read(archiveKey(id, object.file)));
  const problems: string[] = [];
  if (table !== undefined) problems.push(...(await found(() => decodeTable(chunks, table))));
  else if (object.file === tocFile) problems.push(...(await found(() => decodeToc(chunks, parts))));
  // After a decoding error the rest was not read.
  if (problems.length > 0) return problems;
  for await (const _ of chunks);
  const { bytes, sha256 } = stored.finish();
  if (bytes !== object.bytes) problems.push(`${object.file} has ${bytes} bytes instead of ${object.bytes}`);
  else if (sha256 !== object.sha256) problems.push(`${object.file} has another sha256 than was written`);
  return problems;
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

async function decodeToc(chunks: AsyncIterable<Uint8Array>, parts: ArchivedParts): Promise<string[]> {
  const toc = readToc(await collect(chunks, largestToc));
  return [...dataFileProblems(toc, parts), ...entryProblems(toc, parts)];
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

/** Entries that pg_dump keeps for itself or that come from the manifest's tables and sequences. */
const madeHere = new Set([
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
  "TABLE DATA",
  "SEQUENCE SET",
  "MATERIALIZED VIEW DATA",
]);

function entryProblems(toc: Toc, parts: ArchivedParts): string[] {
  const found = toc.entries.filter(({ desc }) => !madeHere.has(desc)).length;
  const wanted = parts.entries.length;
  return found === wanted ? [] : [`${tocFile} has ${found} catalog entries instead of ${wanted}`];
}

async function found(check: () => Promise<string[]>): Promise<string[]> {
  try {
    return await check();
  } catch (error) {
    if (isBelayError(error, "archive_invalid") || isBelayError(error, "store_missing_object")) return [error.message];
    if (error instanceof RangeError) return [error.message];
    throw error;
  }
}
