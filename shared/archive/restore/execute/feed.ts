/** One stream of rows dealt out to several takers, cut at row ends only; memory is bounded whatever a row's size. */
export interface RowFeed {
  /**
   * The rows of one taker, until the source has ended well. Throws the source's error, and what `fail` was given, to
   * every taker. No taker may join once `ended`.
   */
  share(): AsyncGenerator<Uint8Array>;
  /** The source has been read to its end, or has failed. */
  readonly ended: boolean;
  /** Ends every share with this error. */
  fail(error: unknown): void;
}

export interface FeedOptions {
  /** Bytes that one taker gets before another one's turn. */
  readonly blockBytes?: number;
  /** Bytes that may wait for one taker. */
  readonly mostWaiting?: number;
  onBytes?(bytes: number): void;
}

interface Taker {
  queue: Uint8Array[];
  waiting: number;
  wake(): void;
}

const newline = 10;

/** Reads `source` once, as fast as the takers take. */
export function createRowFeed(source: AsyncIterable<Uint8Array>, options: FeedOptions = {}): RowFeed {
  const { blockBytes = 1 << 20, mostWaiting = 4 << 20, onBytes = () => {} } = options;
  const takers: Taker[] = [];
  let failure: { error: unknown } | undefined;
  let ended = false;
  let pumping = false;
  let room = () => {};

  const wakeAll = () => {
    room();
    for (const taker of takers) taker.wake();
  };
  const fail = (error: unknown) => {
    failure ??= { error };
    ended = true;
    wakeAll();
  };
  const give = async (taker: Taker, bytes: Uint8Array) => {
    if (bytes.length === 0) return;
    while (taker.waiting >= mostWaiting && failure === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      room = resolve;
      await promise;
    }
    taker.queue.push(bytes);
    taker.waiting += bytes.length;
    taker.wake();
  };
  const leastBusy = () => takers.reduce((best, taker) => (taker.waiting < best.waiting ? taker : best));
  const pump = async () => {
    let current = takers[0]!;
    let given = 0;
    for await (const chunk of source) {
      if (failure !== undefined) return;
      onBytes(chunk.length);
      const cut = given + chunk.length >= blockBytes && takers.length > 1 ? chunk.lastIndexOf(newline) + 1 : 0;
      if (cut === 0) {
        await give(current, chunk);
        given += chunk.length;
        continue;
      }
      await give(current, chunk.subarray(0, cut));
      current = leastBusy();
      await give(current, chunk.subarray(cut));
      given = chunk.length - cut;
    }
    ended = true;
    wakeAll();
  };
  return {
    get ended() {
      return ended;
    },
    fail,
    share: async function* () {
      const taker: Taker = { queue: [], waiting: 0, wake: () => {} };
      takers.push(taker);
      if (!pumping) void pump().catch(fail);
      pumping = true;
      try {
        for (;;) {
          if (failure !== undefined) throw failure.error;
          const batch = taker.queue;
          taker.queue = [];
          for (const bytes of batch) {
            yield bytes;
            if (failure !== undefined) throw (failure as { error: unknown }).error;
            taker.waiting -= bytes.length;
            if (taker.waiting < mostWaiting) room();
          }
          if (taker.queue.length > 0) continue;
          if (ended && failure === undefined) return;
          const { promise, resolve } = Promise.withResolvers<void>();
          taker.wake = resolve;
          if (taker.queue.length === 0 && !ended) await promise;
        }
      } finally {
        // A taker that leaves early would lose the rows dealt to it.
        if (!ended) fail(new Error("a session stopped taking rows"));
      }
    },
  };
}
