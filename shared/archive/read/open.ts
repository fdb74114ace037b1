import { BelayError } from "../../errors.ts";
import type { StoreCredentials } from "../../store/open.ts";
import type { ObjectStore } from "../../store/types.ts";
import { archiveKey, manifestFile, tocFile } from "../names.ts";
import { openFile } from "./open-file.ts";
import { openFolder, openOwn } from "./open-folder.ts";
import { isFolder, isPlace, placeAt } from "./place.ts";
import type { ArchivePlace, OpenedArchive } from "./types.ts";

export interface OpenOptions {
  /** Where an archive's id is looked for. */
  readonly store?: ObjectStore;
  /** For `s3://` places. */
  readonly credentials?: Partial<StoreCredentials> | null;
}

/** Where an archive was found. `own`: it has a manifest of Belay's; `id` when it was asked for by its id. */
export type FoundArchive =
  | { readonly kind: "own"; readonly place: ArchivePlace; readonly id: string | null }
  | { readonly kind: "folder"; readonly place: ArchivePlace; readonly id: null }
  | { readonly kind: "file"; readonly place: ArchivePlace; readonly id: null; readonly bytes: number };

/**
 * Opens any archive for reading: by id in the store, or at a `file://` or `s3://` place: a folder or prefix with
 * toc.dat, a custom-format file, or plain SQL. The format is told by the bytes, not by names. Changes nothing. Throws
 * `unknown_archive` when nothing is there, `archive_invalid` for what is no archive or is damaged, `usage` for a wrong URL.
 */
export async function openArchive(archiveOrUrl: string, options: OpenOptions = {}): Promise<OpenedArchive> {
  return await openFound(await findArchive(archiveOrUrl, options));
}

/** Looks for an archive without reading it. Throws `unknown_archive` and `usage` as openArchive does. */
export async function findArchive(archiveOrUrl: string, options: OpenOptions): Promise<FoundArchive> {
  if (!isPlace(archiveOrUrl)) return await findById(archiveOrUrl, options.store);
  const place = placeAt(archiveOrUrl, options.credentials ?? null);
  const isNamedAsFolder = new URL(archiveOrUrl).pathname.endsWith("/");
  const file = isNamedAsFolder ? null : await place.store.head(place.prefix);
  const asFile = file === null ? null : ({ kind: "file", place, id: null, bytes: file.size } as const);
  if (asFile !== null && asFile.bytes > 0) return asFile;
  const folder = { ...place, prefix: `${place.prefix}/` };
  const has = async (name: string) => (await place.store.head(folder.prefix + name)) !== null;
  if (await has(manifestFile)) return { kind: "own", place: folder, id: null };
  // Some tools put an empty object where a folder would be.
  return asFile !== null && !(await has(tocFile)) ? asFile : { kind: "folder", place: folder, id: null };
}

export async function openFound(found: FoundArchive): Promise<OpenedArchive> {
  if (found.kind === "own") return await openOwn(found.place, found.id);
  if (found.kind === "file") return await openFile(found.place, found.bytes);
  const opened = await openFolder(found.place);
  if (opened === null) throw await nothingThere(found.place);
  return opened;
}

async function findById(id: string, store: ObjectStore | undefined): Promise<FoundArchive> {
  if (store === undefined)
    throw new BelayError("usage", `${JSON.stringify(id)} is an archive's id, but no store is set`, {
      hint: "Pass --store or set BELAY_STORE, or give the archive's place as file://... or s3://...",
    });
  const prefix = archiveKey(id, "");
  if ((await store.head(prefix + manifestFile)) === null)
    throw new BelayError("unknown_archive", `there is no archive ${id} in ${store.url}`, {
      hint: "List the archives with `belay archives`.",
    });
  return { kind: "own", place: { store, prefix, url: placeUrl(store.url, prefix) }, id };
}

/** The URL of what lies under a prefix of a store. */
function placeUrl(storeUrl: string, prefix: string): string {
  const [path, query] = storeUrl.split("?");
  return `${path!.replace(/\/$/, "")}/${prefix.replace(/\/$/, "")}${query === undefined ? "" : `?${query}`}`;
}

async function nothingThere(place: ArchivePlace): Promise<BelayError> {
  if (await isFolder(place))
    return new BelayError("archive_invalid", `the folder ${place.url} is no archive: there is no ${tocFile} in it`, {
      hint: "Name the folder that pg_dump -Fd or Belay wrote, or a file. `belay archives list URL` lists the archives of a store.",
    });
  return new BelayError(
    "unknown_archive",
    `there is nothing at ${place.url}: neither a file nor a folder with ${tocFile}`,
    {
      hint: "Check the place's spelling, and that you may read it.",
    },
  );
}
