const prime1 = 0x9e3779b1 | 0;
const prime2 = 0x85ebca77 | 0;
const prime3 = 0xc2b2ae3d | 0;
const prime4 = 0x27d4eb2f | 0;
const prime5 = 0x165667b1 | 0;
const stripe = 16;

/** xxHash32 with seed 0 over a stream, as the LZ4 frame format uses it (xxHash specification, XXH32). */
export class XxHash32 {
  #a = (prime1 + prime2) | 0;
  #b = prime2;
  #c = 0;
  #d = -prime1 | 0;
  #length = 0;
  readonly #rest = new Uint8Array(stripe);
  #resting = 0;

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#resting > 0) {
      at = Math.min(stripe - this.#resting, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#resting);
      this.#resting += at;
      if (this.#resting < stripe) return;
      this.#stripes(this.#rest, 0, stripe);
      this.#resting = 0;
    }
    const whole = at + Math.floor((bytes.length - at) / stripe) * stripe;
    this.#stripes(bytes, at, whole);
    this.#rest.set(bytes.subarray(whole));
    this.#resting = bytes.length - whole;
  }

  /** The hash of all bytes so far, as an unsigned number. */
  digest(): number {
    let hash =
      this.#length >= stripe
        ? (rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18)) | 0
        : prime5;
    hash = (hash + (this.#length % 2 ** 32)) | 0;
    let at = 0;
    for (; at + 4 <= this.#resting; at += 4)
      hash = Math.imul(rotate((hash + Math.imul(word(this.#rest, at), prime3)) | 0, 17), prime4);
    for (; at < this.#resting; at++)
      hash = Math.imul(rotate((hash + Math.imul(this.#rest[at]!, prime5)) | 0, 11), prime1);
    hash = Math.imul(hash ^ (hash >>> 15), prime2);
    hash = Math.imul(hash ^ (hash >>> 13), prime3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, from: number, to: number): void {
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let at = from; at < to; at += stripe) {
      a = round(a, word(bytes, at));
      b = round(b, word(bytes, at + 4));
      c = round(c, word(bytes, at + 8));
      d = round(d, word(bytes, at + 12));
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
  }
}

export function xxHash32(bytes: Uint8Array): number {
  const hash = new XxHash32();
  hash.update(bytes);
  return hash.digest();
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, prime2)) | 0, 13), prime1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
