import { BelayError, isBelayError } from "../errors.ts";
import { mapPooled } from "../pool.ts";
import type { ObjectStore } from "../store/types.ts";
import { collect } from "./digesting.ts";
import { archiveKey, largestManifest, manifestFile } from "./names.ts";
import type { ArchivePlace } from "./read/types.ts";
import { archivesPrefix, type Manifest, manifestSchema } from "./types.ts";

/** One archive as a list shows it. `bytes` stored; `rows` in all tables. */
export interface ArchiveSummary {
  readonly id: string;
  readonly purpose: Manifest["purpose"];
  readonly snapshotAt: string;
  readonly database: string;
  /** Which database it is of, whatever its name: system identifier and oid. */
  readonly source: string;
  readonly migration: string | null;
  readonly createdBy: string;
  readonly reason: string;
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
}

/** Manifests that are read at the same time: a store answers each after some milliseconds. */
export const manifestsAtOnce = 8;

/** One whose manifest does not read: it is there, but what it holds is not known. */
export interface DamagedArchive {
  readonly id: string;
  readonly why: string;
}

export interface ArchiveSurvey {
  readonly whole: readonly ArchiveSummary[];
  /** Newest name first. */
  readonly damaged: readonly DamagedArchive[];
  /** Prefixes without a manifest: being written, broken off, or of somebody else. No archives. */
  readonly unfinished: readonly string[];
}

/** Archives whose manifest reads, newest first. One without a manifest is unfinished or failed and never shown. */
export async function listArchives(store: ObjectStore): Promise<ArchiveSummary[]> {
  return [...(await surveyArchives(store)).whole];
}

/** Whole archives, and those whose manifest is damaged: whoever takes the latest or removes old ones has to know of both. */
export async function surveyArchives(store: ObjectStore): Promise<ArchiveSurvey> {
  const ids: string[] = [];
  for await (const id of store.listFolders(archivesPrefix)) ids.push(id);
  const found = await mapPooled(ids, manifestsAtOnce, (id) => look(store, id));
  const whole = found.filter((one) => "purpose" in one);
  const damaged = found.filter((one) => "why" in one);
  const unfinished = found.filter((one) => "unfinished" in one).map(({ unfinished }) => unfinished);
  const newestFirst = (a: ArchiveSummary, b: ArchiveSummary) =>
    a.snapshotAt === b.snapshotAt ? compare(b.id, a.id) : compare(b.snapshotAt, a.snapshotAt);
  return { whole: whole.sort(newestFirst), damaged: damaged.sort((a, b) => compare(b.id, a.id)), unfinished };
}

async function look(
  store: ObjectStore,
  id: string,
): Promise<ArchiveSummary | DamagedArchive | { readonly unfinished: string }> {
  try {
    return summary(await readManifest(store, id));
  } catch (error) {
    if (isBelayError(error, "archive_invalid")) return { id, why: error.message };
    // One that went while we listed is no damage.
    if (isBelayError(error, "unknown_archive")) return { unfinished: id };
    throw error;
  }
}

/** Throws `unknown_archive` when there is none of that id, `archive_invalid` when it does not read. */
export async function readManifest(store: ObjectStore, id: string): Promise<Manifest> {
  try {
    return await readManifestAt({ store, prefix: archiveKey(id, ""), url: store.url }, id);
  } catch (error) {
    if (!isBelayError(error, "store_missing_object")) throw error;
    throw new BelayError("unknown_archive", `there is no archive ${id} in ${store.url}`, {
      hint: "List the archives with `belay archives`.",
      cause: error,
    });
  }
}

/** The manifest at an archive's place; throws `archive_invalid` when it does not read, or is of another archive than `id`. */
export async function readManifestAt(place: ArchivePlace, id: string | null): Promise<Manifest> {
  let bytes: Uint8Array;
  try {
    bytes = await collect(place.store.read(place.prefix + manifestFile), largestManifest);
  } catch (error) {
    if (error instanceof RangeError) throw damaged(id ?? place.url, `it has ${error.message}`);
    throw error;
  }
  const manifest = parseManifest(new TextDecoder().decode(bytes), id ?? place.url);
  if (id !== null && manifest.id !== id) throw damaged(id, `it is of the archive ${manifest.id}`);
  return manifest;
}

function parseManifest(text: string, where: string): Manifest {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw damaged(where, "it is not JSON");
  }
  const parsed = manifestSchema.safeParse(data);
  if (!parsed.success) throw damaged(where, parsed.error.issues.map((issue) => issue.path.join(".")).join(", "));
  return parsed.data;
}

function summary(manifest: Manifest): ArchiveSummary {
  return {
    id: manifest.id,
    purpose: manifest.purpose,
    snapshotAt: manifest.snapshotAt,
    database: manifest.source.database,
    source: `${manifest.source.systemIdentifier}/${manifest.source.databaseOid}`,
    migration: manifest.migration,
    createdBy: manifest.createdBy,
    reason: manifest.reason,
    tables: manifest.tables.length,
    rows: manifest.tables.reduce((sum, table) => sum + table.rows, 0),
    bytes: manifest.objects.reduce((sum, object) => sum + object.bytes, 0),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function damaged(archive: string, why: string): BelayError {
  return new BelayError("archive_invalid", `the manifest of the archive ${archive} is damaged: ${why}`, {
    hint: "Use another archive; list them with `belay archives`.",
  });
}
