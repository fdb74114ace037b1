import type { Belay } from "../context.ts";
import { isBelayError } from "../errors.ts";
import type { ObjectStore } from "../store/types.ts";

/** The store, or null when none is set. */
export function storeOf(belay: Belay): ObjectStore | null {
  try {
    return belay.store;
  } catch (error) {
    if (isBelayError(error, "usage")) return null;
    throw error;
  }
}
