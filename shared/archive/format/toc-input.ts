import { Buffer } from "node:buffer";
import { BelayError } from "../../errors.ts";
import type { DataOffset } from "./toc-types.ts";

/** Strings stay bytes until the ENCODING entry is known. */
export type Bytes = Uint8Array | null;

const damagedHint = "The file is damaged or cut. Fetch it again, or use another archive.";

/** On every usual platform; each entry has some twenty, so they are read in one go. */
const usualIntSize = 4;

/** The table of contents goes on behind the bytes that were given. */
export class TocCut extends BelayError {
  constructor(why: string) {
    super("archive_invalid", `reading the archive's table of contents: ${why}`, { hint: damagedHint });
  }
}

/** Reads the primitives of a table of contents (archive format, section 2); throws `archive_invalid`. */
export class TocInput {
  readonly #bytes: Buffer;
  position = 0;
  intSize = 4;
  offsetSize = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A reader of what comes next, that leaves this one where it is. */
  ahead(): TocInput {
    const copy = new TocInput(this.#bytes);
    copy.position = this.position;
    copy.intSize = this.intSize;
    copy.offsetSize = this.offsetSize;
    return copy;
  }

  get left(): number {
    return this.#bytes.length - this.position;
  }

  take(length: number, what: string): Buffer {
    if (length > this.left) throw this.cut(`it ends inside ${what}, at byte ${this.#bytes.length}`);
    const part = this.#bytes.subarray(this.position, this.position + length);
    this.position += length;
    return part;
  }

  cut(why: string): TocCut {
    return new TocCut(why);
  }

  byte(what: string): number {
    return this.take(1, what)[0]!;
  }

  /** A sign byte, then the absolute value, little endian. */
  int(what: string): number {
    if (this.intSize === usualIntSize && this.left > usualIntSize) {
      const value = this.#bytes.readUInt32LE(this.position + 1);
      const isNegative = this.#bytes[this.position] !== 0;
      this.position += 1 + usualIntSize;
      return isNegative ? -value : value;
    }
    const negative = this.byte(what) !== 0;
    const bytes = this.take(this.intSize, what);
    let value = 0;
    for (let index = 0; index < bytes.length; index++) {
      if (index >= 4 && bytes[index] !== 0) throw invalid(`a number in ${what} does not fit 32 bits`);
      value += index < 4 ? bytes[index]! * 2 ** (8 * index) : 0;
    }
    return negative ? -value : value;
  }

  str(what: string): Bytes {
    const length = this.int(what);
    if (length < 0) return null;
    const bytes = this.take(length, what);
    // Neither pg_dump nor the server can hold one in a string.
    if (bytes.includes(0)) throw invalid(`a string of ${what} holds a NUL byte`);
    return bytes;
  }

  offset(what: string): DataOffset {
    const state = this.byte(what);
    const bytes = this.take(this.offsetSize, what);
    if (state === 1) return { state: "unknown" };
    if (state === 3) return { state: "none" };
    if (state !== 2) throw invalid(`${what} has a data position of state ${state}`);
    let position = 0n;
    for (let index = bytes.length - 1; index >= 0; index--) position = position * 256n + BigInt(bytes[index]!);
    return { state: "known", position };
  }
}

export function ascii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

export function invalid(why: string, hint = damagedHint): BelayError {
  return new BelayError("archive_invalid", `reading the archive's table of contents: ${why}`, { hint });
}
