const mebibyte = 1024 * 1024;
export const smallestPart = 8 * mebibyte;
const largestUsualPart = 64 * mebibyte;

/** Parts that one multipart upload may have (Amazon S3 user guide, "Amazon S3 multipart upload limits"). */
export const mostParts = 10_000;

/**
 * Bytes of each part but the last: about 900 parts, because some stores allow 1,000, as long as a part stays at
 * 64 MiB; beyond that about 9,000. `sizeHint` is the expected size in bytes.
 */
export function partSize(sizeHint: number | undefined): number {
  if (sizeHint === undefined) return smallestPart;
  const few = Math.min(largestUsualPart, sizeHint / 900);
  const wanted = Math.max(smallestPart, few, sizeHint / 9_000);
  return Math.ceil(wanted / mebibyte) * mebibyte;
}

/**
 * Cuts a stream into pieces of exactly `size` bytes and a shorter last one; nothing at all for an empty stream.
 * Every piece owns its bytes.
 */
export async function* inParts(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(Math.min(size, 256 * 1024));
  let filled = 0;
  for await (const chunk of chunks) {
    let offset = 0;
    while (offset < chunk.length) {
      const taken = Math.min(size - filled, chunk.length - offset);
      part = withRoom(part, filled + taken, size);
      part.set(chunk.subarray(offset, offset + taken), filled);
      filled += taken;
      offset += taken;
      if (filled < size) continue;
      yield part;
      part = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

function withRoom(part: Uint8Array<ArrayBuffer>, needed: number, limit: number): Uint8Array<ArrayBuffer> {
  if (needed <= part.length) return part;
  const larger = new Uint8Array(Math.min(limit, Math.max(needed, part.length * 4)));
  larger.set(part);
  return larger;
}
