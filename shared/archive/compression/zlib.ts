import { createInflate, inflateSync } from "node:zlib";
import { smallOrStreamed } from "./small.ts";
import { chunkSize, decompressed } from "./through.ts";

/** Decompresses zlib (RFC 1950), as custom-format archives have it; throws `archive_invalid` naming `what`. */
export function inflate(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  return smallOrStreamed(chunks, what, inflateSync, (all) => decompressed(all, createInflate({ chunkSize }), what));
}
