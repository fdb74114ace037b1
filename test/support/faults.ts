import { BelayError } from "../../shared/errors.ts";
import type { ObjectStore } from "../../shared/store/types.ts";

/** What goes wrong; each names keys by a part of them. */
export interface Faults {
  /** Fails in the middle of the upload, as a 500 would. */
  failWrite?: string;
  /** Ends the download early without an error. */
  cutRead?: string;
  /** Flips a bit of what is downloaded. */
  flipRead?: string;
  /** Waits in the middle of the upload until the promise is settled. */
  pauseWrite?: { key: string; until: Promise<void>; reached: () => void };
}

/** A store that works until it is told what to get wrong. */
export function faultyStore(store: ObjectStore, faults: Faults): ObjectStore {
  return {
    ...store,
    write: (key, chunks, options) => store.write(key, disturbed(key, chunks, faults), options),
    read: (key, range) => spoiled(key, store.read(key, range), faults),
  };
}

async function* disturbed(key: string, chunks: AsyncIterable<Uint8Array>, faults: Faults): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    if (faults.failWrite !== undefined && key.includes(faults.failWrite))
      throw new BelayError("store_failed", `the store answered 500 to ${key}`);
    if (faults.pauseWrite !== undefined && key.includes(faults.pauseWrite.key)) {
      faults.pauseWrite.reached();
      await faults.pauseWrite.until;
    }
  }
}

async function* spoiled(key: string, chunks: AsyncIterable<Uint8Array>, faults: Faults): AsyncGenerator<Uint8Array> {
  const cut = faults.cutRead !== undefined && key.includes(faults.cutRead);
  const flip = faults.flipRead !== undefined && key.includes(faults.flipRead);
  for await (const chunk of chunks) {
    if (cut) {
      yield chunk.subarray(0, Math.floor(chunk.length / 2));
      return;
    }
    if (flip) {
      const copy = new Uint8Array(chunk);
      const middle = Math.floor(copy.length / 2);
      copy[middle] = copy[middle]! ^ 1;
      yield copy;
    } else yield chunk;
  }
}
