/** A stream that was looked into. */
export interface Peeked {
  /** All of it, when it is one chunk or none. */
  readonly only: Uint8Array | null;
  /** The whole stream all the same. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Reads up to two chunks ahead; whoever does not read `chunks` must know `only`. */
export async function peek(chunks: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const source = chunks[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done) return { only: new Uint8Array(0), chunks: following([], source) };
  const second = await source.next();
  if (second.done) return { only: first.value, chunks: following([first.value], source) };
  return { only: null, chunks: following([first.value, second.value], source) };
}

async function* following(seen: Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* seen;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}
