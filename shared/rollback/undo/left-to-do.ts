import { entryKey } from "../../catalog/entry.ts";
import type { Entry } from "../../catalog/types.ts";
import { sameButForColumnOrder } from "../transaction/column-order.ts";
import type { Remembered } from "../transaction/remembered.ts";

/** The part of a rollback that still stands, by the catalog. */
export interface LeftToDo {
  readonly remembered: Remembered;
  /** Keys of entries that are there again as they were before the rollback. */
  readonly present: readonly string[];
}

/**
 * Leaves out what was put back already, by hand or by an undo of some tables, and what the rollback made and somebody
 * took away since. What is there in any other form stays in: it is a conflict.
 */
export function leftToDo(remembered: Remembered, entries: readonly Entry[]): LeftToDo {
  const now = new Map(entries.map((entry) => [entry.key, entry]));
  const back = (was: Entry) => {
    const is = now.get(was.key);
    return is !== undefined && (is.hash === was.hash || sameButForColumnOrder(is, was));
  };
  const removed = remembered.removed.filter((entry) => !back(entry));
  const changed = remembered.changed.filter(
    (change) => now.get(change.after.key)?.hash === change.after.hash || !back(change.before),
  );
  const added = remembered.added.filter(({ key }) => now.has(key));
  const touched = new Set(
    [...added, ...changed.map((change) => change.after)].map(({ schema, name }) => nameOf(schema, name)),
  );
  const still = ({ schema, table }: { schema: string; table: string }) => touched.has(nameOf(schema, table));
  // Two that exchanged their names may have entries that are equal to those of before.
  const byOid = new Map(entries.filter(isRelation).map((entry) => [entry.address.objid, entry]));
  const settled = new Set(
    remembered.changed.filter((change) => !changed.includes(change)).map((change) => change.after.address.objid),
  );
  const again = new Set(
    remembered.removed.filter((entry) => !removed.includes(entry)).map(({ schema, name }) => nameOf(schema, name)),
  );
  const left = {
    ...remembered,
    removed,
    changed,
    added,
    renamedColumns: remembered.renamedColumns.filter(still),
    renamedTables: remembered.renamedTables.filter((each) => {
      const is = byOid.get(each.oid ?? 0);
      return is === undefined ? still(each) : is.schema === each.schema && is.name === each.table;
    }),
    filledViews: remembered.filledViews?.filter(({ schema, name }) => !again.has(nameOf(schema, name))),
    madeColumns: remembered.madeColumns?.filter(({ oid }) => !settled.has(oid)),
  };
  const kept = new Set([...removed, ...changed.map((change) => change.before)].map(({ key }) => key));
  const all = [...remembered.removed, ...remembered.changed.map((change) => change.before)].map(({ key }) => key);
  return { remembered: left, present: all.filter((key) => !kept.has(key)) };
}

export function tableKeyOf({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return entryKey({ kind: "TABLE", schema, name: table, owner: null });
}

function nameOf(schema: string | null, name: string): string {
  return JSON.stringify([schema, name]);
}

function isRelation({ kind }: Entry): boolean {
  return ["TABLE", "SEQUENCE", "MATERIALIZED VIEW", "FOREIGN TABLE"].includes(kind);
}
