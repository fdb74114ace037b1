import { BelayError } from "../../errors.ts";
import type { ByteRange, ObjectStore } from "../../store/types.ts";

export interface StoreLimits {
  /** Longest wait for the store's next sign of life, in milliseconds. */
  readonly stallMs: number;
  /** Longest time for all of it, in milliseconds. */
  readonly totalMs: number;
}

export interface BoundedStore {
  readonly store: ObjectStore;
  /** Ends with the work, or throws `store_failed` at the first limit; the store then refuses all but deletions. */
  within<T>(work: (store: ObjectStore) => Promise<T>): Promise<T>;
}

/** Objects after which a store that makes many durable has given a sign of life. */
const syncedTogether = 8;

/** A store that does not hang for ever: what waits for it holds locks. Time spent by whoever feeds or reads it does not count as a stall. */
export function boundStore(inner: ObjectStore, limits: StoreLimits): BoundedStore {
  const waits = new Set<{ readonly since: number; readonly what: string }>();
  let failure: BelayError | undefined;
  const waiting = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (failure !== undefined) throw failure;
    const wait = { since: performance.now(), what };
    waits.add(wait);
    try {
      return await work();
    } finally {
      waits.delete(wait);
    }
  };
  async function* read(key: string, range?: ByteRange): AsyncGenerator<Uint8Array> {
    const chunks = inner.read(key, range)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await waiting(`reading ${key}`, () => chunks.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      // Not waited for: it may be as silent as the store.
      void chunks.return?.()?.catch(() => {});
    }
  }
  const store: ObjectStore = {
    url: inner.url,
    read,
    write: (key, chunks, options) => {
      const what = `writing ${key}`;
      const feed = feeding(chunks, what, waits, () => failure);
      return inner.write(key, feed.chunks, options).finally(feed.end);
    },
    head: (key) => waiting(`looking for ${key}`, () => inner.head(key)),
    sync: async (keys) => {
      for (let at = 0; at < keys.length; at += syncedTogether)
        await waiting("making objects durable", () => inner.sync(keys.slice(at, at + syncedTogether)));
    },
    list: (prefix) => inner.list(prefix),
    listFolders: (prefix) => inner.listFolders(prefix),
    delete: (key) => inner.delete(key),
    unfinished: (prefix) => inner.unfinished(prefix),
    discard: (upload) => inner.discard(upload),
  };
  const within = async <T>(work: (store: ObjectStore) => Promise<T>): Promise<T> => {
    const started = performance.now();
    let timer: ReturnType<typeof setInterval> | undefined;
    const watch = new Promise<never>((_, reject) => {
      const look = () => {
        const now = performance.now();
        const stalled = [...waits].find(({ since }) => now - since > limits.stallMs);
        if (stalled !== undefined) failure = stalledError(inner, stalled.what, limits.stallMs);
        else if (now - started > limits.totalMs) failure = tooLong(inner, limits.totalMs);
        if (failure !== undefined) reject(failure);
      };
      timer = setInterval(look, Math.max(10, Math.min(1_000, limits.stallMs / 4)));
    });
    const running = work(store);
    running.catch(() => {});
    try {
      return await Promise.race([running, watch]);
    } finally {
      clearInterval(timer);
    }
  };
  return { store, within };
}

/** Between a chunk taken and the next one asked for, and after the last one, it is the store that is waited for. */
function feeding(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
  waits: Set<{ readonly since: number; readonly what: string }>,
  failed: () => BelayError | undefined,
) {
  let wait: { since: number; what: string } | undefined;
  const begin = () => {
    wait = { since: performance.now(), what };
    waits.add(wait);
  };
  const end = () => {
    if (wait !== undefined) waits.delete(wait);
  };
  async function* fed(): AsyncGenerator<Uint8Array> {
    end();
    for await (const chunk of chunks) {
      const failure = failed();
      if (failure !== undefined) throw failure;
      begin();
      yield chunk;
      end();
    }
    begin();
  }
  begin();
  return { chunks: fed(), end };
}

function stalledError(store: ObjectStore, what: string, stallMs: number): BelayError {
  return new BelayError("store_failed", `${store.url} gave no sign of life for ${stallMs} ms while ${what}`, {
    hint: "Nothing changed and no lock is held. Look at the store's health and run the same command again, or raise storeStallMs.",
    details: { stallMs },
  });
}

function tooLong(store: ObjectStore, totalMs: number): BelayError {
  return new BelayError("store_failed", `the archive was not written to ${store.url} within ${totalMs} ms`, {
    hint: "Nothing changed and no lock is held. Run it in a quieter hour, or raise archiveMs.",
    details: { totalMs },
  });
}
