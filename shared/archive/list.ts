import { BelayError, isBelayError } from "../errors.ts";
import type { ObjectStore } from "../store/types.ts";
import { collect } from "./digesting.ts";
import { archiveKey, manifestFile } from "./names.ts";
import { archivesPrefix, type Manifest, manifestSchema } from "./types.ts";

/** One archive as a list shows it. `bytes` stored; `rows` in all tables. */
export interface ArchiveSummary {
  readonly id: string;
  readonly purpose: Manifest["purpose"];
  readonly snapshotAt: string;
  readonly database: string;
  readonly migration: string | null;
  readonly createdBy: string;
  readonly reason: string;
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
}

const largestManifest = 256 * 1024 * 1024;

/** Archives, newest first. One without a manifest is unfinished or failed and never shown; one whose manifest does not read is left out. */
export async function listArchives(store: ObjectStore): Promise<ArchiveSummary[]> {
  const ids: string[] = [];
  for await (const { key } of store.list(archivesPrefix)) {
    const [id, file, ...rest] = key.slice(archivesPrefix.length).split("/");
    if (id !== undefined && file === manifestFile && rest.length === 0) ids.push(id);
  }
  const archives: ArchiveSummary[] = [];
  for (const id of ids) {
    const manifest = await readManifest(store, id).catch((error) => {
      if (isBelayError(error, "archive_invalid") || isBelayError(error, "unknown_archive")) return null;
      throw error;
    });
    if (manifest !== null) archives.push(summary(manifest));
  }
  return archives.sort((a, b) =>
    a.snapshotAt === b.snapshotAt ? compare(b.id, a.id) : compare(b.snapshotAt, a.snapshotAt),
  );
}

/** Throws `unknown_archive` when there is none of that id, `archive_invalid` when it does not read. */
export async function readManifest(store: ObjectStore, id: string): Promise<Manifest> {
  let text: string;
  try {
    text = new TextDecoder().decode(await collect(store.read(archiveKey(id, manifestFile)), largestManifest));
  } catch (error) {
    if (!isBelayError(error, "store_missing_object")) throw error;
    throw new BelayError("unknown_archive", `there is no archive ${id} in ${store.url}`, {
      hint: "List the archives with `belay archives`.",
      cause: error,
    });
  }
  return parseManifest(text, id);
}

function parseManifest(text: string, id: string): Manifest {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw damaged(id, "it is not JSON");
  }
  const parsed = manifestSchema.safeParse(data);
  if (!parsed.success) throw damaged(id, parsed.error.issues.map((issue) => issue.path.join(".")).join(", "));
  if (parsed.data.id !== id) throw damaged(id, `it is of the archive ${parsed.data.id}`);
  return parsed.data;
}

function summary(manifest: Manifest): ArchiveSummary {
  return {
    id: manifest.id,
    purpose: manifest.purpose,
    snapshotAt: manifest.snapshotAt,
    database: manifest.source.database,
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

function damaged(id: string, why: string): BelayError {
  return new BelayError("archive_invalid", `the manifest of the archive ${id} is damaged: ${why}`, {
    hint: "Use another archive; list them with `belay archives`.",
  });
}
