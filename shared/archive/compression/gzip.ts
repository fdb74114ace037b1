import { createGunzip, createGzip, gunzipSync } from "node:zlib";
import { smallOrStreamed } from "./small.ts";
import { chunkSize, decompressed, through } from "./through.ts";

/** Compresses a stream as one gzip member; `level` 1 (fast) to 9 (small). */
export function gzip(chunks: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  return through(chunks, createGzip({ level, chunkSize }));
}

/** Decompresses gzip, of any number of members; throws `archive_invalid` naming `what` when the bytes are damaged or cut. */
export function gunzip(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  return smallOrStreamed(chunks, what, gunzipSync, (all) => decompressed(all, createGunzip({ chunkSize }), what));
}
