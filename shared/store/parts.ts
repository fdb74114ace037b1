const mebibyte = 1024 * 1024;
export const smallestPart = 8 * mebibyte;

/** Parts that one multipart upload may have (Amazon S3 user guide, "Amazon S3 multipart upload limits"). */
export const mostParts = 10_000;

/** Largest part that one table's own growth leads to: a part is held in memory. */
const largestGrown = 512 * mebibyte;

/** Largest part that S3 takes. */
const largestPart = 5 * 1024 * mebibyte;

export interface PartLimits {
  readonly mostParts: number;
  /** Bytes. */
  readonly smallestPart: number;
  readonly uniformParts: boolean;
}

/** Bytes of the part with this number, counted from 1. */
export type PartSize = (number: number) => number;

/**
 * Sizes of an upload's parts but the last. All have the size with which `sizeHint` bytes take at most nine tenths of
 * the parts that the store allows; a table that outgrows its hint then gets parts that double, unless the store wants
 * them all alike.
 */
export function partSizes(sizeHint: number | undefined, limits: PartLimits): PartSize {
  const usual = Math.floor(limits.mostParts * (limits.uniformParts ? 0.5 : 0.9));
  const wanted = Math.ceil((sizeHint ?? 0) / usual / mebibyte) * mebibyte;
  const base = Math.min(largestPart, Math.max(limits.smallestPart, wanted));
  if (limits.uniformParts) return () => base;
  const step = Math.max(1, Math.floor((limits.mostParts - usual) / 8));
  const largest = Math.max(base, largestGrown);
  return (number) => (number <= usual ? base : Math.min(largest, base * 2 ** Math.ceil((number - usual) / step)));
}

/**
 * Cuts a stream into pieces of exactly `sizeOf(1)`, `sizeOf(2)`... bytes and a shorter last one; nothing at all for an
 * empty stream. Every piece owns its bytes.
 */
export async function* inParts(chunks: AsyncIterable<Uint8Array>, sizeOf: PartSize): AsyncGenerator<Uint8Array> {
  let number = 1;
  let size = sizeOf(number);
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
      number += 1;
      size = sizeOf(number);
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
