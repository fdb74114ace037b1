import { BelayError, isBelayError } from "../errors.ts";
import type { ObjectStore } from "../store/types.ts";

/** The error of an archive that is not in this store, with the store in which the record has it. */
export function inItsStore(error: BelayError, id: string, store: ObjectStore, recorded: string | null): BelayError {
  if (!isBelayError(error, "unknown_archive") || recorded === null || recorded === store.url) return error;
  return new BelayError(
    "unknown_archive",
    `there is no archive ${id} in ${store.url}: the record has it in ${recorded}`,
    {
      hint: `Run the same command again with --store ${recorded}`,
      details: { recorded },
      cause: error,
    },
  );
}
