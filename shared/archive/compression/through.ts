import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isBelayError } from "../../errors.ts";
import { damaged } from "../format/damage.ts";
import { bytesBehind } from "./small.ts";

/** Bytes that a (de)compressor hands out at a time. */
export const chunkSize = 128 * 1024;

/** Passes a stream through a transform, one chunk at a time; leaving early ends both. */
export async function* through(chunks: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  const feeding = pipeline(Readable.from(chunks, { objectMode: true, highWaterMark: 1 }), transform);
  // An error of the source also ends the transform, which is where it is thrown.
  feeding.catch(() => {});
  for await (const chunk of transform) yield chunk as Uint8Array;
  await feeding;
}

/** Decompresses one stream to its very end; throws `archive_invalid` naming `what` for damage and for bytes behind it. */
export async function* decompressed(
  chunks: AsyncIterable<Uint8Array>,
  transform: Transform & { readonly bytesWritten: number },
  what: string,
): AsyncGenerator<Uint8Array> {
  let fed = 0;
  const counted = async function* () {
    for await (const chunk of chunks) {
      fed += chunk.length;
      yield chunk;
    }
  };
  try {
    yield* through(counted(), transform);
  } catch (error) {
    if (isBelayError(error)) throw error;
    if ((error as { code?: unknown }).code === "ERR_STREAM_PREMATURE_CLOSE") throw bytesBehind(what);
    throw damaged(`${what} does not decompress: ${(error as Error).message}`);
  }
  if (transform.bytesWritten !== fed) throw bytesBehind(what);
}
