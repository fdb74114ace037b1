import { Buffer } from "node:buffer";
import type { gunzipSync } from "node:zlib";
import { damaged } from "../format/damage.ts";

/** Compressed bytes up to which an object is decompressed in one go: a stream takes a millisecond to set up. */
const smallInput = 64 * 1024;
const smallOutput = 1024 * 1024;

type DecompressSync = typeof gunzipSync;

/**
 * Decompresses in one call what is small, and all else as a stream. Throws `archive_invalid` naming `what` for damage
 * and for bytes behind the end.
 */
export async function* smallOrStreamed(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
  sync: DecompressSync,
  streamed: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = chunks[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let size = 0;
  let ended = false;
  while (!ended && size <= smallInput) {
    const { done, value } = await source.next();
    if (done) ended = true;
    else {
      parts.push(value);
      size += value.length;
    }
  }
  const small = ended ? inOneGo(Buffer.concat(parts), what, sync) : null;
  if (small === null) yield* streamed(resumed(parts, source));
  else if (small.length > 0) yield small;
}

/** null when more comes out than may be held. */
function inOneGo(bytes: Buffer, what: string, sync: DecompressSync): Buffer | null {
  try {
    const { buffer, engine } = sync(bytes, { maxOutputLength: smallOutput, info: true } as object) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    if (engine.bytesWritten === bytes.length) return buffer;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return null;
    throw damaged(`${what} does not decompress: ${(error as Error).message}`);
  }
  throw bytesBehind(what);
}

async function* resumed(parts: readonly Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* parts;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}

/** The engine silently leaves what stands behind the end of its stream. */
export function bytesBehind(what: string) {
  return damaged(`${what} does not decompress: bytes stand behind the end of its compressed stream`);
}
