import { createHash } from "node:crypto";

/** Passes bytes on; `finish` gives their number and sha256 (hex). */
export function hashing(): {
  pass(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array>;
  finish(): { bytes: number; sha256: string };
} {
  const hash = createHash("sha256");
  let bytes = 0;
  return {
    pass: async function* (chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        yield chunk;
      }
    },
    finish: () => ({ bytes, sha256: hash.digest("hex") }),
  };
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** All bytes of a stream that is known to be small; throws a RangeError beyond `most` bytes. */
export async function collect(chunks: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > most) throw new RangeError(`more than ${most} bytes`);
    all.push(chunk);
  }
  return Buffer.concat(all);
}
