import { createHash } from "node:crypto";
import { withoutSecrets } from "./secrets.ts";
import type { Catalog, Entry } from "./types.ts";

/** An entry as snapshots hold it: oids mean nothing in another database, and passwords are left out. */
export type StoredEntry = Omit<Entry, "address"> & { readonly column?: number };

export function storedEntry({ address, ...entry }: Entry): StoredEntry {
  const create = withoutSecrets(entry);
  // Comments and grants of columns stand in the columns' order.
  return address.objsubid === 0 ? { ...entry, create } : { ...entry, create, column: address.objsubid };
}

export function fromStored({ column, ...entry }: StoredEntry): Entry {
  return { ...entry, address: { classid: 0, objid: 0, objsubid: column ?? 0 } };
}

const known = new WeakMap<Entry, string>();

/** sha256 (hex) over all that is stored of an entry. */
export function storedHash(entry: Entry): string {
  let hash = known.get(entry);
  if (hash === undefined) {
    hash = createHash("sha256")
      .update(JSON.stringify(storedEntry(entry)))
      .digest("hex");
    known.set(entry, hash);
  }
  return hash;
}

/** Makes catalogs that are read one after the other share the entries that did not change between them. */
export function sharedEntries(): (catalog: Catalog) => Catalog {
  const byHash = new Map<string, Entry>();
  return (catalog) => ({
    ...catalog,
    entries: catalog.entries.map((entry) => {
      const hash = storedHash(entry);
      const shared = byHash.get(hash);
      if (shared === undefined) byHash.set(hash, entry);
      return shared ?? entry;
    }),
  });
}
