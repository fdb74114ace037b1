/** Gathers small chunks into batches of `size` bytes and cuts large ones, so that no step pays per row. */
export async function* inBatches(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const batcher = createBatcher(size);
  for await (const chunk of chunks) {
    batcher.add(chunk);
    yield* batcher.take();
  }
  batcher.flush();
  yield* batcher.take();
}

export interface Batcher {
  add(chunk: Uint8Array): void;
  /** Full batches, in order; they are the caller's from then on. */
  take(): Uint8Array[];
  /** Makes a batch of what is left. */
  flush(): void;
  /** Full batches that wait. */
  readonly waiting: number;
}

export function createBatcher(size: number): Batcher {
  let full: Uint8Array[] = [];
  let batch = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  const flush = () => {
    if (filled === 0) return;
    full.push(batch.subarray(0, filled));
    batch = Buffer.allocUnsafeSlow(size);
    filled = 0;
  };
  return {
    get waiting() {
      return full.length;
    },
    add(chunk) {
      for (let offset = 0; offset < chunk.length; ) {
        const end = Math.min(chunk.length, offset + size - filled);
        batch.set(offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end), filled);
        filled += end - offset;
        offset = end;
        if (filled === size) flush();
      }
    },
    take() {
      const taken = full;
      full = [];
      return taken;
    },
    flush,
  };
}
