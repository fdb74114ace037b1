import { BelayError, isBelayError } from "../../errors.ts";
import { sha256 } from "../digesting.ts";
import { damaged } from "../format/damage.ts";
import { readToc } from "../format/toc.ts";
import { readManifestAt } from "../list.ts";
import { manifestFile, tocFile } from "../names.ts";
import type { Manifest } from "../types.ts";
import { openDirectory } from "./directory.ts";
import { baseBackupHint } from "./sniff.ts";
import { readTocBytes } from "./table-of-contents.ts";
import type { ArchivePlace, TocArchive } from "./types.ts";

/** Opens a folder or prefix in stock directory format. null: there is no table of contents. Throws `archive_invalid`. */
export async function openFolder(place: ArchivePlace): Promise<TocArchive | null> {
  for (const file of [tocFile, `${tocFile}.gz`]) {
    const found = await place.store.head(place.prefix + file);
    if (found === null) continue;
    const toc = readToc(await readTocBytes(place, file, found.size));
    if (toc.format !== "directory") throw damaged(`${file} in ${place.url} is the head of a custom-format file`);
    if (toc.dumpVersion === "Belay") throw withoutManifest(place);
    return await openDirectory(place, toc, null);
  }
  for (const file of ["backup_manifest", "PG_VERSION", "base.tar", "base.tar.gz"])
    if ((await place.store.head(place.prefix + file)) !== null)
      throw new BelayError(
        "archive_invalid",
        `${place.url} is a copy of a server's files (pg_basebackup), not a dump`,
        {
          hint: baseBackupHint,
        },
      );
  return null;
}

/** Opens an archive of Belay's own, wherever it was copied to; its manifest must be that of `id`, if one is asked for. */
export async function openOwn(place: ArchivePlace, id: string | null): Promise<TocArchive> {
  const manifest = await readManifestAt(place, id);
  return await openDirectory(place, readToc(await ownTocBytes(place, manifest)), manifest);
}

async function ownTocBytes(place: ArchivePlace, manifest: Manifest): Promise<Uint8Array> {
  const written = manifest.objects.find(({ file }) => file === tocFile);
  if (written === undefined) throw damaged(`the manifest of ${place.url} does not have ${tocFile}`);
  const bytes = await readTocBytes(place, tocFile, written.bytes).catch((error) => {
    if (!isBelayError(error, "store_missing_object")) throw error;
    throw damaged(`${tocFile} is not in ${place.url}`, "Copy all files of the archive again, or use another one.");
  });
  if (bytes.length !== written.bytes) throw damaged(`${tocFile} has ${bytes.length} bytes instead of ${written.bytes}`);
  if (sha256(bytes) !== written.sha256) throw damaged(`${tocFile} has another sha256 than was written`);
  return bytes;
}

function withoutManifest(place: ArchivePlace): BelayError {
  return new BelayError("archive_invalid", `${place.url} was written by Belay, but has no ${manifestFile}`, {
    hint: `The dump did not finish, or not all was copied. Copy it again with its ${manifestFile}; to take what is there as it is, use pg_restore.`,
  });
}
