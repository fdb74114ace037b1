const pageBits = 12;

/** A set of oids; those of a real database lie close together and take a few bits each. */
export class OidSet {
  readonly #pages = new Map<number, Uint32Array>();
  size = 0;

  /** False when it was there already. */
  add(oid: number): boolean {
    if (this.has(oid)) return false;
    const number = Math.floor(oid / 2 ** pageBits);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new Uint32Array(2 ** pageBits / 32);
      this.#pages.set(number, page);
    }
    const bit = oid % 2 ** pageBits;
    page[bit >>> 5]! |= 1 << (bit & 31);
    this.size += 1;
    return true;
  }

  has(oid: number): boolean {
    const page = this.#pages.get(Math.floor(oid / 2 ** pageBits));
    const bit = oid % 2 ** pageBits;
    return page !== undefined && (page[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [number, page] of this.#pages)
      for (let bit = 0; bit < 2 ** pageBits; bit++)
        if ((page[bit >>> 5]! & (1 << (bit & 31))) !== 0) yield number * 2 ** pageBits + bit;
  }
}

/** The first oids of one set that another lacks. */
export function missingFrom(other: OidSet, set: OidSet, most: number): number[] {
  const missing: number[] = [];
  for (const oid of set) {
    if (missing.length === most) break;
    if (!other.has(oid)) missing.push(oid);
  }
  return missing;
}
