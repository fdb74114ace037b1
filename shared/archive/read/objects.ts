import type { ObjectStore } from "../../store/types.ts";
import { gunzip } from "../compression/gzip.ts";
import { collect } from "../digesting.ts";
import { withoutEndMarker } from "../format/copy-text.ts";
import { readToc, type Toc } from "../format/toc.ts";
import { archiveKey, tocFile } from "../names.ts";
import type { ArchivedTable } from "../types.ts";
import { checkFileName } from "./names.ts";

const largestToc = 256 * 1024 * 1024;

/** Streams the COPY text of one archived table, without its end marker; throws `archive_invalid` when it is cut. */
export function readTableRows(
  store: ObjectStore,
  archive: { readonly id: string },
  table: Pick<ArchivedTable, "file">,
): AsyncGenerator<Uint8Array> {
  const bytes = store.read(archiveKey(archive.id, checkFileName(table.file, "the manifest")));
  return withoutEndMarker(gunzip(bytes, table.file), table.file);
}

/** The archive's table of contents; throws `archive_invalid` when it does not read. */
export async function readTableOfContents(store: ObjectStore, archive: { readonly id: string }): Promise<Toc> {
  return readToc(await collect(store.read(archiveKey(archive.id, tocFile)), largestToc));
}
