import { Buffer } from "node:buffer";
import { decompress } from "../compression/decompress.ts";
import { damaged } from "../format/damage.ts";
import { readToc, type Toc, TocCut } from "../format/toc.ts";
import type { ArchivePlace } from "./types.ts";

/** Bytes beyond which a table of contents is refused: it is the one part of an archive that is held in memory. */
export const largestToc = 256 * 1024 * 1024;

/** The first bytes of a custom-format file that are tried; four times as many each time that they do not suffice. */
const firstTry = 256 * 1024;

/** No list of statements compresses better than this; bombs do, by 1,000 and more. */
const mostCompressed = 100;

/** The table of contents at the head of a custom-format file of `size` bytes, whatever comes behind it. */
export async function readTocOfFile(place: ArchivePlace, size: number): Promise<Toc> {
  let head = Buffer.alloc(0);
  for (let wanted = firstTry; ; wanted *= 4) {
    const until = Math.min(wanted, size, largestToc);
    head = Buffer.concat([head, await readRange(place, head.length, until - head.length)]);
    try {
      return readToc(head);
    } catch (error) {
      if (!(error instanceof TocCut) || head.length === size) throw error;
      if (head.length === largestToc) throw tooLarge(place.url);
    }
  }
}

async function readRange(place: ArchivePlace, offset: number, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  if (length > 0) for await (const part of place.store.read(place.prefix, { offset, length })) parts.push(part);
  return Buffer.concat(parts);
}

/** The bytes of toc.dat, or of toc.dat.gz decompressed. Throws `archive_invalid` when there are too many. */
export async function readTocBytes(place: ArchivePlace, file: string, stored: number): Promise<Uint8Array> {
  const compression = file.endsWith(".gz") ? "gzip" : "none";
  const most = compression === "none" ? largestToc : Math.min(largestToc, 65_536 + stored * mostCompressed);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of decompress(compression, place.store.read(place.prefix + file), file)) {
    size += part.length;
    if (size > most) throw tooLarge(`${place.url}/${file}`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(where: string) {
  return damaged(`the table of contents of ${where} is larger than any that pg_dump writes`);
}
