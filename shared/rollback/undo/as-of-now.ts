import { addressKey } from "../../catalog/entry.ts";
import type { Entry } from "../../catalog/types.ts";
import { sameButForColumnOrder } from "../transaction/column-order.ts";
import type { Remembered } from "../transaction/remembered.ts";

/**
 * What a rollback left behind, by the oids and column orders of today: an older rollback that was run and undone since
 * made tables anew, under the same names and perhaps with their columns in another order.
 */
export function asOfNow(remembered: Remembered, entries: readonly Entry[]): Remembered {
  const now = new Map(entries.map((entry) => [entry.key, entry]));
  const current = (entry: Entry): Entry => {
    const is = now.get(entry.key);
    if (is === undefined) return entry;
    return is.hash === entry.hash || sameButForColumnOrder(entry, is) ? is : { ...entry, address: is.address };
  };
  const oids = oidsOfNow(remembered, entries, current);
  const there = <T extends { readonly oid: number }>(state: T): T => ({
    ...state,
    oid: oids.get(state.oid) ?? state.oid,
  });
  const left = [...remembered.added, ...remembered.changed.map(({ after }) => after)];
  const moved = new Map(left.map((entry) => [addressKey(entry.address), current(entry).address]));
  // What lives on under another name is told by its address.
  const before = (entry: Entry): Entry => ({
    ...entry,
    address: moved.get(addressKey(entry.address)) ?? entry.address,
  });
  return {
    ...remembered,
    removed: remembered.removed.map(before),
    added: remembered.added.map(current),
    changed: remembered.changed.map((change) => ({ before: before(change.before), after: current(change.after) })),
    renamedTables: remembered.renamedTables.map(({ oid, ...names }) =>
      oid === undefined ? names : there({ ...names, oid }),
    ),
    rewritten: remembered.rewritten.map(there),
    made: remembered.made.map(there),
    ...(remembered.madeColumns === undefined ? {} : { madeColumns: remembered.madeColumns.map(there) }),
  };
}

/** From oids of then, of tables that are no more, to those of tables that have their names now. */
function oidsOfNow(
  remembered: Remembered,
  entries: readonly Entry[],
  current: (entry: Entry) => Entry,
): Map<number, number> {
  const tables = entries.filter(({ kind }) => kind === "TABLE");
  const live = new Set(tables.map(({ address }) => address.objid));
  const named = new Map(tables.map(({ schema, name, address }) => [JSON.stringify([schema, name]), address.objid]));
  const oids = new Map<number, number>();
  for (const left of [...remembered.added, ...remembered.changed.map(({ after }) => after)])
    if (left.kind === "TABLE" && !live.has(left.address.objid))
      oids.set(left.address.objid, current(left).address.objid);
  for (const { oid, schema, table } of [...remembered.rewritten, ...remembered.made]) {
    const found = named.get(JSON.stringify([schema, table]));
    if (!live.has(oid) && found !== undefined) oids.set(oid, found);
  }
  return oids;
}
