import type { ObjectStore } from "./types.ts";

/** A store that is loaded at its first use: the S3 client takes 34 MB and a tenth of a second, which a folder never needs. */
export function createLazyStore(url: string, load: () => Promise<ObjectStore>): ObjectStore {
  let loading: Promise<ObjectStore> | undefined;
  const store = () => {
    loading ??= load();
    return loading;
  };
  return {
    url,
    write: async (key, chunks, options) => (await store()).write(key, chunks, options),
    sync: async (keys) => (await store()).sync(keys),
    head: async (key) => (await store()).head(key),
    delete: async (key) => (await store()).delete(key),
    discard: async (upload) => (await store()).discard(upload),
    async *read(key, range) {
      yield* (await store()).read(key, range);
    },
    async *list(prefix) {
      yield* (await store()).list(prefix);
    },
    async *listFolders(prefix) {
      yield* (await store()).listFolders(prefix);
    },
    async *unfinished(prefix) {
      yield* (await store()).unfinished(prefix);
    },
  };
}
