import { createInflate } from "node:zlib";
import { chunkSize, decompressed } from "./through.ts";

/** Decompresses zlib (RFC 1950), as custom-format archives have it; throws `archive_invalid` naming `what`. */
export function inflate(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  return decompressed(chunks, createInflate({ chunkSize }), what);
}
