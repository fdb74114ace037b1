import { BelayError } from "../../errors.ts";
import { setParameters } from "../../postgres/settings.ts";
import type { ObjectStore } from "../../store/types.ts";
import { once, sha256 } from "../digesting.ts";
import { readToc, writeToc } from "../format/toc.ts";
import { manifestBytes } from "../manifest-digest.ts";
import { archiveKey, manifestFile, readmeFile, tocFile } from "../names.ts";
import type { ArchivedObject, Manifest } from "../types.ts";
import type { ArchiveInput } from "./input.ts";
import { type ArchiveLayout, layOut } from "./layout.ts";
import { ownObjects } from "./own-objects.ts";
import { readBackObject, unverified } from "./read-back.ts";
import { defaultReadme } from "./readme.ts";
import { rolesOf } from "./roles.ts";
import { readExtensions } from "./source.ts";
import { writeData } from "./write-data.ts";
import { largeObjectList } from "./write-large-objects.ts";

export type { ArchiveInput } from "./input.ts";
export type { SequenceToArchive, TableToArchive } from "./layout.ts";

/** Every row whatever the policies say, and names in values (regclass...) with their schema. */
const readParameters = { row_security: "off", search_path: "" };

const largeObjectListFile = "blobs.toc";
const fastLevel = 1;
const smallLevel = 6;

/**
 * Writes an archive: tables streamed and read back from the store, decoded and counted, then toc.dat and README.txt, and
 * only when every byte of every object has been read back, manifest.json. On any failure it removes what it wrote and throws: no manifest,
 * no archive. Throws `needs_worker` beyond the budget, `store_exists` when the id is taken, and the store's and database's errors.
 */
export async function writeArchive(request: ArchiveInput): Promise<Manifest> {
  const { id } = request;
  const manifestKey = archiveKey(id, manifestFile);
  if ((await request.store.head(manifestKey)) !== null) throw taken(id, request.store);
  const own = ownObjects(request.store);
  const input = { ...request, store: own.store };
  try {
    const layout = layOut(input);
    for (const reader of input.readers) await setParameters(reader, readParameters);
    const level = input.gzipLevel ?? (input.purpose === "dump" ? smallLevel : fastLevel);
    const data = await writeData(input, layout, level);
    const readme = input.readme ?? defaultReadme(input);
    const small = [
      await writeSmall(input, tocFile, tocBytes(input, layout)),
      await writeSmall(input, readmeFile, Buffer.from(readme)),
    ];
    const oids = input.largeObjects ?? [];
    if (oids.length > 0) small.push(await writeSmall(input, largeObjectListFile, largeObjectList(oids)));
    await readBackSmall(input, small);
    await own.store.sync([...own.keys]);
    const objects = [...data.tables, ...data.largeObjects].map(({ object }) => object);
    const parts = {
      tables: data.tables.map(({ table }) => table),
      largeObjects: data.largeObjects.map(({ largeObject }) => largeObject),
      entries: entryHashes(input),
      objects: [...objects, ...small],
    };
    const manifest = await describe(input, parts);
    await publish(input, manifest);
    return manifest;
  } catch (error) {
    await Promise.allSettled(input.readers.map((reader) => reader.destroy()));
    await own.discard(manifestKey);
    throw error;
  }
}

/** The table of contents, which was read again: what nobody can decode is not published. */
function tocBytes(input: ArchiveInput, layout: ArchiveLayout): Uint8Array {
  const bytes = writeToc({
    minor: 14,
    format: "directory",
    compression: "gzip",
    createdAt: new Date(input.snapshotAt),
    database: input.source.database,
    serverVersion: input.source.serverVersion,
    dumpVersion: "Belay",
    entries: layout.toc,
  });
  const found = readToc(bytes).entries.length;
  if (found === layout.toc.length) return bytes;
  throw unverified(`${tocFile} holds ${found} entries instead of ${layout.toc.length}`);
}

async function writeSmall(input: ArchiveInput, file: string, bytes: Uint8Array): Promise<ArchivedObject> {
  await input.store.write(archiveKey(input.id, file), once(bytes), {
    createOnly: true,
    syncLater: true,
    sizeHint: bytes.length,
  });
  return { file, bytes: bytes.length, sha256: sha256(bytes) };
}

function entryHashes(input: ArchiveInput): Manifest["entries"] {
  return input.entries.map(({ key, hash }) => ({ key, hash }));
}

/** The small objects; every table's rows were read back while the next ones were written. */
async function readBackSmall(input: ArchiveInput, objects: readonly ArchivedObject[]): Promise<void> {
  input.report?.({ phase: "verify", message: "reading the last objects back" });
  for (const object of objects) await readBackObject(input.store, archiveKey(input.id, object.file), object);
}

type Parts = Pick<Manifest, "tables" | "largeObjects" | "entries" | "objects">;

async function describe(input: ArchiveInput, parts: Parts): Promise<Manifest> {
  const extensions = input.entries.filter(({ kind }) => kind === "EXTENSION").map(({ name }) => name);
  return {
    format: "belay-archive/1",
    id: input.id,
    purpose: input.purpose,
    ...(input.profile === undefined ? {} : { profile: input.profile }),
    source: input.source,
    snapshotAt: input.snapshotAt,
    createdBy: input.createdBy,
    reason: input.reason,
    migration: input.migration,
    rollbackId: input.rollbackId,
    sequences: input.sequences.map(({ schema, name, lastValue, isCalled }) => ({ schema, name, lastValue, isCalled })),
    extensions: extensions.length === 0 ? [] : await readExtensions(input.readers[0]!, extensions),
    roles: rolesOf(input.entries),
    external: input.external,
    catalogDigest: input.catalogDigest,
    ...parts,
  };
}

/** The manifest makes the archive exist: written last, never over another, and read back too. */
async function publish(input: ArchiveInput, manifest: Manifest): Promise<void> {
  const bytes = manifestBytes(manifest);
  const key = archiveKey(input.id, manifestFile);
  await input.store.write(key, once(bytes), { createOnly: true, contentType: "application/json" });
  await readBackObject(input.store, key, { file: manifestFile, bytes: bytes.length, sha256: sha256(bytes) });
}

function taken(id: string, store: ObjectStore): BelayError {
  return new BelayError("store_exists", `the archive ${id} is already in ${store.url}`, {
    hint: "Archives are never overwritten: use another id.",
  });
}
