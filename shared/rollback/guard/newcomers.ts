import type { Catalog, Entry } from "../../catalog/types.ts";
import type { Account } from "./account.ts";
import type { Violation } from "./types.ts";

const readingLocks = new Set(["AccessShareLock", "RowShareLock"]);
const relationCatalog = 1259;

/** What others made while the archive was written, and the SQL then took or wrote: nothing of it is archived. */
export function touchedNewcomers(
  came: readonly Entry[],
  after: Account,
  { entries }: Pick<Catalog, "entries">,
): Violation[] {
  const now = new Map(entries.map((entry) => [entry.key, entry]));
  return came
    .filter((entry) => now.get(entry.key)?.hash !== entry.hash || isWritten(entry, after))
    .map(({ key }) => ({
      subject: key,
      oid: null,
      what: "made by others while the archive was written, and then dropped or changed by the SQL",
      curable: false,
    }));
}

function isWritten({ address }: Entry, { locks }: Account): boolean {
  const held = address.classid === relationCatalog ? (locks.get(address.objid) ?? []) : [];
  return held.some((mode) => !readingLocks.has(mode));
}
