import { BelayError } from "../errors.ts";
import type { ObjectStore } from "../store/types.ts";

/** A store whose reads, writes and listings end with `store_failed` once `ms` have passed since it was made. */
export function patientStore(inner: ObjectStore, ms: number): ObjectStore {
  const deadline = performance.now() + ms;
  const late = () =>
    new BelayError("store_failed", `${inner.url} gave no answer for ${ms} ms`, { hint: "Look at the store's health." });
  const bounded = async <T>(work: () => Promise<T>): Promise<T> => {
    const left = deadline - performance.now();
    if (left <= 0) throw late();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), left);
    });
    const running = work();
    running.catch(() => {});
    try {
      return await Promise.race([running, end]);
    } finally {
      clearTimeout(timer);
    }
  };
  async function* each<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = items[Symbol.asyncIterator]();
    for (;;) {
      const next = await bounded(() => iterator.next());
      if (next.done) return;
      yield next.value;
    }
  }
  return {
    ...inner,
    url: inner.url,
    write: (key, chunks, options) => bounded(() => inner.write(key, chunks, options)),
    read: (key, range) => each(inner.read(key, range)),
    head: (key) => bounded(() => inner.head(key)),
    list: (prefix) => each(inner.list(prefix)),
    listFolders: (prefix) => each(inner.listFolders(prefix)),
  };
}
