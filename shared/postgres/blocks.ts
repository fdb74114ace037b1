/** Gathers bytes into blocks of up to `size` bytes; small contents take small memory. */
export interface BlockBuilder {
  add(chunk: Uint8Array, from: number, to: number): void;
  /** Full blocks, in order; they are the caller's from then on. */
  take(): Uint8Array[];
  /** Gives a block back that nobody uses any more; its memory is used again. */
  recycle(block: Uint8Array): void;
  /** Makes a block of what is left. */
  flush(): void;
  /** Full blocks that wait. */
  readonly waiting: number;
}

const firstBytes = 16 * 1024;

/** Full blocks that are used again. */
const mostKept = 4;

/** Below this many bytes a loop is faster than a call that copies. */
const shortCopy = 48;

export function createBlockBuilder(size: number): BlockBuilder {
  let full: Uint8Array[] = [];
  let block: Buffer = Buffer.alloc(0);
  let filled = 0;
  let large = false;
  const kept: Buffer[] = [];
  const flush = () => {
    if (filled > 0) full.push(block.subarray(0, filled));
    block = Buffer.alloc(0);
    filled = 0;
  };
  const grow = (needed: number) => {
    const bytes = large ? size : Math.min(size, Math.max(needed, block.length * 4, firstBytes));
    const larger = (bytes === size ? kept.pop() : undefined) ?? Buffer.allocUnsafeSlow(bytes);
    large = bytes === size;
    larger.set(block.subarray(0, filled));
    block = larger;
  };
  const copy = (chunk: Uint8Array, from: number, to: number) => {
    if (to - from < shortCopy) for (let at = from; at < to; at += 1) block[filled++] = chunk[at]!;
    else {
      block.set(chunk.subarray(from, to), filled);
      filled += to - from;
    }
  };
  return {
    get waiting() {
      return full.length;
    },
    add(chunk, from, to) {
      for (let at = from; at < to; ) {
        const end = Math.min(to, at + size - filled);
        if (filled + end - at > block.length) grow(filled + end - at);
        copy(chunk, at, end);
        at = end;
        if (filled === size) flush();
      }
    },
    take() {
      const taken = full;
      full = [];
      return taken;
    },
    recycle: (used) => {
      if (used.length === size && kept.length < mostKept) kept.push(used as Buffer);
    },
    flush,
  };
}

/** Gathers small chunks into blocks of `size` bytes and cuts large ones, so that no step pays per chunk. */
export async function* inBlocks(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const blocks = createBlockBuilder(size);
  for await (const chunk of chunks) {
    blocks.add(chunk, 0, chunk.length);
    yield* blocks.take();
  }
  blocks.flush();
  yield* blocks.take();
}
