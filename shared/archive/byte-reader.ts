import { Buffer } from "node:buffer";
import { damaged } from "./format/damage.ts";

/** Reads a stream of bytes piece by piece; holds one chunk, or as many as one `take` asks for. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #what: string;
  #left: Buffer = Buffer.alloc(0);
  #position = 0;
  #ended = false;

  /** `what` names the stream in errors. */
  constructor(chunks: AsyncIterable<Uint8Array>, what: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#what = what;
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that can be taken without waiting. */
  get buffered(): number {
    return this.#left.length;
  }

  /** Waits until `length` bytes are buffered; false when the stream ends before. */
  async has(length: number): Promise<boolean> {
    if (this.#left.length >= length) return true;
    const parts = [this.#left];
    let size = this.#left.length;
    while (size < length && !this.#ended) {
      const { done, value } = await this.#chunks.next();
      if (done) this.#ended = true;
      else {
        parts.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
        size += value.length;
      }
    }
    this.#left = parts.length === 2 && parts[0]!.length === 0 ? parts[1]! : Buffer.concat(parts);
    return size >= length;
  }

  /** As `has`, but throws `archive_invalid` when the stream ends before. */
  async need(length: number): Promise<void> {
    if (!(await this.has(length)))
      throw damaged(`${this.#what} is cut: it ends at byte ${this.#position + this.#left.length}`);
  }

  /** Takes bytes that are buffered; they stay valid. */
  takeBuffered(length: number): Buffer {
    const part = this.#left.subarray(0, length);
    this.#left = this.#left.subarray(length);
    this.#position += part.length;
    return part;
  }

  async take(length: number): Promise<Buffer> {
    await this.need(length);
    return this.takeBuffered(length);
  }

  /** Passes exactly `length` bytes on, in pieces as they come: no length is ever allocated. */
  async *pass(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      await this.need(1);
      const part = this.takeBuffered(Math.min(left, this.#left.length));
      left -= part.length;
      yield part;
    }
  }

  /** Lets go of the stream before its end. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#left = Buffer.alloc(0);
    await this.#chunks.return?.();
  }
}
