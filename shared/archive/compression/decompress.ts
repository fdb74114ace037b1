import { gunzip } from "./gzip.ts";
import { unlz4 } from "./lz4.ts";
import { inflate } from "./zlib.ts";
import { unzstd } from "./zstd.ts";

export type Compression = "none" | "gzip" | "zlib" | "lz4" | "zstd";

type Decompress = (chunks: AsyncIterable<Uint8Array>, what: string) => AsyncIterable<Uint8Array>;

const decoders: Readonly<Record<Compression, Decompress>> = {
  none: (chunks) => chunks,
  gzip: gunzip,
  zlib: inflate,
  lz4: unlz4,
  zstd: unzstd,
};

/**
 * Decompresses a stream, whatever it grows to, with flat memory. No bytes at all are empty content, as pg_dump leaves
 * them for empty large objects. Throws `archive_invalid` naming `what`.
 */
export async function* decompress(
  compression: Compression,
  chunks: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  let first = await source.next();
  while (!first.done && first.value.length === 0) first = await source.next();
  if (first.done) return;
  yield* decoders[compression](startingWith(first.value, source), what);
}

async function* startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
