import { Buffer } from "node:buffer";
import { ByteReader } from "../../byte-reader.ts";
import { damaged } from "../../format/damage.ts";

/** Types of data blocks (archive format, section 9). */
export const blockTypes = { data: 1, largeObjects: 3 } as const;

/** Bytes of a stream that are handed out at a time: pg_dump cuts its streams into pieces as small as a row. */
const batchSize = 64 * 1024;

/** A custom-format file read from a block's first byte on. `position` counts from the file's beginning. */
export class BlockReader {
  readonly #reader: ByteReader;
  readonly #start: number;
  readonly #intSize: number;
  readonly #what: string;
  #streaming = false;
  #pieceLeft = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, place: { start: number; intSize: number; what: string }) {
    this.#reader = new ByteReader(chunks, place.what);
    this.#start = place.start;
    this.#intSize = place.intSize;
    this.#what = place.what;
  }

  get position(): number {
    return this.#start + this.#reader.position;
  }

  /** Type and id of the next block; null at the end of the file. Throws `archive_invalid` for what is no block. */
  async header(): Promise<{ type: number; dumpId: number } | null> {
    if (!(await this.#reader.has(1))) return null;
    const at = this.position;
    const [type] = await this.#reader.take(1);
    if (type !== blockTypes.data && type !== blockTypes.largeObjects)
      throw damaged(`${this.#what} has no data block at byte ${at}: a block of type ${type} is unknown`);
    return { type, dumpId: await this.int() };
  }

  /** The oid of the next large object in a block of them; 0 at its end. */
  async oid(): Promise<number> {
    // Oids go through a signed int.
    return (await this.int()) >>> 0;
  }

  async int(): Promise<number> {
    await this.#reader.need(1 + this.#intSize);
    return this.#takeInt();
  }

  /** The stored bytes of one stream, its pieces joined; reads to the zero behind the last one. */
  async *stream(): AsyncGenerator<Uint8Array> {
    this.#streaming = true;
    let parts: Buffer[] = [];
    let size = 0;
    for (let part = this.#part(); part !== null; part = this.#part()) {
      if (part === undefined) {
        await this.#reader.need(this.#pieceLeft > 0 ? 1 : 1 + this.#intSize);
        continue;
      }
      parts.push(part);
      size += part.length;
      if (size < batchSize) continue;
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
    this.#streaming = false;
    if (size > 0) yield Buffer.concat(parts);
  }

  /** Whether a stream was begun and not read to its end. */
  get streaming(): boolean {
    return this.#streaming;
  }

  /** Goes on to the block behind the one whose header was just read. */
  async skipBody(type: number): Promise<void> {
    if (type === blockTypes.data) await this.skipStream();
    else while ((await this.oid()) !== 0) await this.skipStream();
  }

  async skipStream(): Promise<void> {
    for await (const _ of this.stream());
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  /** The next bytes of the stream; null at its end, undefined when more has to be read first. */
  #part(): Buffer | null | undefined {
    if (this.#pieceLeft === 0) {
      if (this.#reader.buffered <= this.#intSize) return undefined;
      this.#pieceLeft = this.#takeInt();
      if (this.#pieceLeft === 0) return null;
      if (this.#pieceLeft < 0)
        throw damaged(`${this.#what} has a piece of ${this.#pieceLeft} bytes before byte ${this.position}`);
    }
    if (this.#reader.buffered === 0) return undefined;
    const part = this.#reader.takeBuffered(Math.min(this.#pieceLeft, this.#reader.buffered));
    this.#pieceLeft -= part.length;
    return part;
  }

  #takeInt(): number {
    const bytes = this.#reader.takeBuffered(1 + this.#intSize);
    let value = 0;
    for (let index = 1; index < bytes.length; index++) {
      if (index > 4 && bytes[index] !== 0)
        throw damaged(`${this.#what} has a number that does not fit 32 bits at byte ${this.position}`);
      if (index <= 4) value += bytes[index]! * 2 ** (8 * (index - 1));
    }
    return bytes[0] === 0 ? value : -value;
  }
}
