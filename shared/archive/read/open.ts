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

/**
 * Opens any archive for reading: by id in the store, or at a `file://` or `s3://` place: a folder or prefix with
 * toc.dat, a custom-format file, or plain SQL. The format is told by the bytes, not by names. Changes nothing. Throws
 * `unknown_archive` when nothing is there, `archive_invalid` for what is no archive or is damaged, `usage` for a wrong URL.
 */
export async function openArchive(archiveOrUrl: string, options: OpenOptions = {}): Promise<OpenedArchive> {
  if (!isPlace(archiveOrUrl)) return await openById(archiveOrUrl, options.store);
  const place = placeAt(archiveOrUrl, options.credentials ?? null);
  const isNamedAsFolder = new URL(archiveOrUrl).pathname.endsWith("/");
  const file = isNamedAsFolder ? null : await place.store.head(place.prefix);
  if (file !== null) return await openFile(place, file.size);
  const opened = await openFolder({ ...place, prefix: `${place.prefix}/` });
  if (opened !== null) return opened;
  throw await nothingThere(place);
}

async function openById(id: string, store: ObjectStore | undefined): Promise<OpenedArchive> {
  if (store === undefined)
    throw new BelayError("usage", `${JSON.stringify(id)} is an archive's id, but no store is set`, {
      hint: "Pass --store or set BELAY_STORE, or give the archive's place as file://... or s3://...",
    });
  const prefix = archiveKey(id, "");
  const place = { store, prefix, url: placeUrl(store.url, prefix) };
  const manifest = await store.head(prefix + manifestFile);
  if (manifest === null)
    throw new BelayError("unknown_archive", `there is no archive ${id} in ${store.url}`, {
      hint: "List the archives with `belay archives`.",
    });
  return await openOwn(place, id);
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
