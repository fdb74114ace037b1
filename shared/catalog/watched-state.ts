import type { Account, Fingerprints } from "./account.ts";
import { catalogDigest } from "./entry.ts";
import { creationOrder } from "./order.ts";
import type { ReadEntries } from "./read-whole.ts";
import type { Catalog } from "./types.ts";

/** A catalog with the account by which it is known again, and what its entries come from. */
export interface WatchedState {
  readonly account: Account;
  readonly fingerprints: Fingerprints;
  readonly read: ReadEntries;
  readonly catalog: Catalog;
}

export function catalogOf({ entries, unknown }: ReadEntries): Catalog {
  const bare = entries.map(({ entry }) => entry);
  return { entries: creationOrder(bare), unknown, digest: catalogDigest(bare) };
}
