import { Buffer } from "node:buffer";
import { BelayError } from "../../errors.ts";
import { type Compression, decompress } from "../compression/decompress.ts";
import { openCustom } from "./custom/open.ts";
import { openPlain } from "./plain/open.ts";
import { sniff, sniffLength } from "./sniff.ts";
import { readTocOfFile } from "./table-of-contents.ts";
import type { ArchivePlace, OpenedArchive } from "./types.ts";

/** Opens one file of `size` bytes: an archive in custom format, or plain SQL. */
export async function openFile(place: ArchivePlace, size: number): Promise<OpenedArchive> {
  const head = size === 0 ? new Uint8Array(0) : await firstBytes(place, "none");
  const found = sniff(head);
  if (found.kind === "other") throw invalid(`${place.url} ${found.why}`, found.hint);
  if (found.kind === "empty")
    throw invalid(
      `${place.url} is an empty file`,
      "The dump that should have filled it failed, or its copy did. Use another archive.",
    );
  if (found.kind === "custom") return openCustom(place, size, await readTocOfFile(place, size));
  if (found.kind === "compressed") await checkInside(place, found.compression);
  return await openPlain(place);
}

async function checkInside(place: ArchivePlace, compression: Compression): Promise<void> {
  const inside = sniff(await firstBytes(place, compression));
  const how = { gzip: "gunzip", zstd: "zstd -d", lz4: "lz4 -d" }[compression as "gzip" | "zstd" | "lz4"];
  if (inside.kind === "custom")
    throw invalid(
      `${place.url} is an archive in custom format that was compressed again`,
      `Decompress it first: ${how} FILE. A custom-format archive is compressed in itself.`,
    );
  if (inside.kind === "other") throw invalid(`${place.url}, decompressed, ${inside.why}`, inside.hint);
  if (inside.kind === "compressed")
    throw invalid(`${place.url} is compressed twice`, `Decompress it first: ${how} FILE`);
  if (inside.kind === "empty") throw invalid(`${place.url} holds nothing`, "Use another archive.");
}

/** The first bytes of what is in the file, few as they are. */
async function firstBytes(place: ArchivePlace, compression: Compression): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of decompress(compression, place.store.read(place.prefix), place.url)) {
    parts.push(part);
    size += part.length;
    if (size >= sniffLength) break;
  }
  return Buffer.concat(parts).subarray(0, sniffLength);
}

function invalid(why: string, hint: string): BelayError {
  return new BelayError("archive_invalid", why, { hint });
}
