import { isBelayError } from "../../errors.ts";
import { mapPooled } from "../../pool.ts";
import type { ObjectStore } from "../../store/types.ts";

/** The objects that one archive's writer has put, or may have put, into a store. */
export interface OwnObjects {
  /** The store, with every write through it remembered. */
  readonly store: ObjectStore;
  readonly keys: ReadonlySet<string>;
  /** Deletes them all, as far as the store lets it; never rejects. */
  discard(manifestKey: string): Promise<void>;
}

const deletionsAtOnce = 16;

export function ownObjects(inner: ObjectStore): OwnObjects {
  const keys = new Set<string>();
  const write: ObjectStore["write"] = async (key, chunks, options) => {
    keys.add(key);
    try {
      return await inner.write(key, chunks, options);
    } catch (error) {
      // Somebody else's.
      if (isBelayError(error, "store_exists")) keys.delete(key);
      throw error;
    }
  };
  const gone = (key: string) =>
    inner.delete(key).then(
      () => true,
      () => false,
    );
  return {
    store: { ...inner, write },
    keys,
    discard: async (manifestKey) => {
      // A list must not show an archive whose objects are going: where the manifest stays, they stay.
      if (keys.has(manifestKey) && !(await gone(manifestKey))) return;
      await mapPooled([...keys], deletionsAtOnce, gone);
    },
  };
}
