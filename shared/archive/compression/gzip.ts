import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { BelayError, isBelayError } from "../../errors.ts";

const chunkSize = 128 * 1024;

/** Compresses a stream as one gzip member; `level` 1 (fast) to 9 (small). */
export function gzip(chunks: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  return through(chunks, createGzip({ level, chunkSize }));
}

/** Decompresses gzip; throws `archive_invalid` naming `what` when the bytes are damaged or cut. */
export async function* gunzip(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  try {
    yield* through(chunks, createGunzip({ chunkSize }));
  } catch (error) {
    if (isBelayError(error)) throw error;
    throw new BelayError("archive_invalid", `${what} does not decompress: ${(error as Error).message}`, {
      hint: "The archive is damaged. Use another one.",
      cause: error,
    });
  }
}

async function* through(
  chunks: AsyncIterable<Uint8Array>,
  transform: ReturnType<typeof createGzip> | ReturnType<typeof createGunzip>,
): AsyncGenerator<Uint8Array> {
  const feeding = pipeline(Readable.from(chunks, { objectMode: true, highWaterMark: 1 }), transform);
  // An error of the source also ends the transform, which is where it is thrown.
  feeding.catch(() => {});
  for await (const chunk of transform) yield chunk as Uint8Array;
  await feeding;
}
