/**
 * Decodes one LZ4 block (lz4_Block_format.md) from `source` into `target` from `start` on. Matches may reach back to
 * `earliest`. Returns where the output ends, or -1 when the block is damaged or does not fit before `limit`.
 */
export function decodeLz4Block(
  source: Uint8Array,
  target: Uint8Array,
  place: { readonly start: number; readonly earliest: number; readonly limit: number },
): number {
  const { earliest, limit } = place;
  const end = source.length;
  let from = 0;
  let to = place.start;
  while (from < end) {
    const token = source[from++]!;
    let literals = token >>> 4;
    if (literals === 15)
      for (let more = 255; more === 255; literals += more) {
        if (from >= end) return -1;
        more = source[from++]!;
      }
    if (literals > end - from || literals > limit - to) return -1;
    // Short runs are the rule, and a call for each would cost more than the bytes.
    if (literals > 32) target.set(source.subarray(from, from + literals), to);
    else for (let index = 0; index < literals; index++) target[to + index] = source[from + index]!;
    from += literals;
    to += literals;
    // The last sequence has literals only.
    if (from === end) return to;
    if (from + 2 > end) return -1;
    const distance = source[from]! | (source[from + 1]! << 8);
    from += 2;
    let match = to - distance;
    if (distance === 0 || match < earliest) return -1;
    let length = token & 15;
    if (length === 15)
      for (let more = 255; more === 255; length += more) {
        if (from >= end) return -1;
        more = source[from++]!;
      }
    length += 4;
    if (length > limit - to) return -1;
    if (length > 32 && distance >= length) {
      target.copyWithin(to, match, match + length);
      to += length;
    } else if (length > 32 && distance === 1) {
      target.fill(target[match]!, to, to + length);
      to += length;
    } else for (const stop = to + length; to < stop; ) target[to++] = target[match++]!;
  }
  // A block ends with literals.
  return -1;
}
