import { type BelayError, isBelayError } from "../../../errors.ts";
import { damaged } from "../../format/damage.ts";
import type { Toc, TocEntry } from "../../format/toc.ts";
import type { BlockReader } from "./block.ts";

/**
 * Where each entry's block is. Positions that the table of contents has are taken from it; the others (a dump that was
 * written into a pipe) are found by walking the blocks, each at most once, as far as needed.
 */
export class Positions {
  readonly #size: number;
  readonly #start: number;
  readonly #open: (position: number) => BlockReader;
  /** Found by walking. */
  readonly #found = new Map<number, number>();
  /** Positions that the table of contents has, each with the next greater one. */
  readonly #next = new Map<number, number>();
  /** The first block whose end is not known. */
  #frontier: number;
  #failure: BelayError | undefined;
  #walking: Promise<unknown> = Promise.resolve();

  constructor(toc: Toc, size: number, open: (position: number) => BlockReader) {
    this.#size = size;
    this.#open = open;
    this.#start = toc.end ?? 0;
    this.#frontier = this.#start;
    const known = toc.entries.flatMap(({ offset }) => (offset?.state === "known" ? [Number(offset.position)] : []));
    const sorted = [...new Set(known)].sort((a, b) => a - b);
    for (const [index, position] of sorted.entries()) this.#next.set(position, sorted[index + 1] ?? size);
  }

  /** Bytes of an entry's block, when its position and that of the next one are known. */
  bytes(entry: TocEntry): number | null {
    if (entry.offset?.state !== "known") return null;
    const position = Number(entry.offset.position);
    return Math.max(0, this.end(position) - position);
  }

  /** Where the block at a known position ends at the latest. */
  end(position: number): number {
    return Math.min(this.#next.get(position) ?? this.#size, this.#size);
  }

  /** Throws `archive_invalid` when the entry has no block in the file. */
  async of(entry: TocEntry): Promise<number> {
    const what = `the data of ${entry.desc} ${entry.tag}`;
    if (entry.offset === undefined || entry.offset.state === "none")
      throw damaged(`the table of contents has no position for ${what}`);
    if (entry.offset.state === "known") {
      const { position } = entry.offset;
      if (position < BigInt(this.#start) || position >= BigInt(this.#size))
        throw damaged(`the table of contents has ${what} at byte ${position}, which is not among the file's blocks`);
      return Number(position);
    }
    const found = await this.#walk(entry.dumpId);
    if (found === null) throw damaged(`${what} is not in the file: it was cut`);
    return found;
  }

  /** Remembers where a block ended that was read to its end: nobody has to walk over it again. */
  learn(start: number, end: number): void {
    if (start === this.#frontier) this.#frontier = end;
  }

  #walk(dumpId: number): Promise<number | null> {
    const found = this.#walking.then(
      () => this.#walkTo(dumpId),
      () => this.#walkTo(dumpId),
    );
    this.#walking = found;
    return found;
  }

  async #walkTo(dumpId: number): Promise<number | null> {
    const known = this.#found.get(dumpId);
    if (known !== undefined) return known;
    // What stopped one walk stops all that come after: nobody walks to the same damage twice.
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#frontier >= this.#size) return null;
    const blocks = this.#open(this.#frontier);
    try {
      for (;;) {
        this.#frontier = blocks.position;
        const header = await blocks.header();
        if (header === null) return null;
        if (!this.#found.has(header.dumpId)) this.#found.set(header.dumpId, this.#frontier);
        if (header.dumpId === dumpId) return this.#frontier;
        await blocks.skipBody(header.type);
      }
    } catch (error) {
      if (isBelayError(error, "archive_invalid")) this.#failure = error;
      throw error;
    } finally {
      await blocks.close();
    }
  }
}
