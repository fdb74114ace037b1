import { Readable } from "node:stream";
import { BelayError } from "../../shared/errors.ts";
import type { ObjectStore } from "../../shared/store/types.ts";

/** A store for reading that keeps its objects in memory; counts the bytes that were read. */
export interface MemoryStore extends ObjectStore {
  readonly objects: Map<string, Buffer>;
  bytesRead: number;
}

export function memoryStore(objects: Iterable<readonly [string, Uint8Array]> = [], chunkSize = 16_384): MemoryStore {
  const held = new Map([...objects].map(([key, bytes]) => [key, Buffer.from(bytes)]));
  const refuse = () => Promise.reject(new Error("nothing may be changed"));
  const headOf = (key: string) => ({ key, size: held.get(key)!.length, modified: null });
  const store: MemoryStore = {
    url: "memory:",
    objects: held,
    bytesRead: 0,
    async *read(key, range) {
      const bytes = held.get(key);
      if (bytes === undefined)
        throw new BelayError("store_missing_object", `${key} is not there`, { hint: "Look elsewhere." });
      const end = range?.length === undefined ? bytes.length : range.offset + range.length;
      if (end > bytes.length || (range?.offset ?? 0) > bytes.length)
        throw new BelayError("store_failed", `${key} has no such range`, { hint: "Ask for less." });
      for (let at = range?.offset ?? 0; at < end; at += chunkSize) {
        const chunk = bytes.subarray(at, Math.min(end, at + chunkSize));
        store.bytesRead += chunk.length;
        yield chunk;
      }
    },
    head: async (key) => (held.has(key) ? headOf(key) : null),
    list: (prefix) =>
      Readable.from(
        [...held.keys()]
          .filter((key) => key.startsWith(prefix))
          .sort()
          .map(headOf),
      ),
    listFolders: () => Readable.from([]),
    unfinished: () => Readable.from([]),
    write: refuse,
    sync: refuse,
    delete: refuse,
    discard: refuse,
  };
  return store;
}
