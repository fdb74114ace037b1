import type { Session } from "../../postgres/session.ts";
import type { Account, RelationAccount } from "../guard/account.ts";
import { type TableState, tableState } from "../transaction/table-state.ts";
import { namesBack } from "./check.ts";
import { regains } from "./columns.ts";
import { withoutMade } from "./made-columns.ts";
import { relationBefore } from "./relation-before.ts";
import type { Undoable } from "./types.ts";

/** Surviving tables whose rows the undo writes, as they are now but for what it writes: that has to come out of it equal. */
export async function mergedStates(session: Session, undoable: Undoable, account: Account): Promise<TableState[]> {
  const states: TableState[] = [];
  for (const found of await writtenAnew(session, undoable, account)) {
    const relation = withoutMerged(undoable, withoutMade(undoable.remembered, found), account);
    // A digest goes by the columns' names in order: where names change, each column is digested alone.
    const whole = namesBack(undoable.remembered, relation.schema, relation.name).size === 0;
    const parts = whole ? [relation] : relation.columns.map((column) => ({ ...relation, columns: [column] }));
    for (const part of parts) states.push(await tableState(session, part));
  }
  return states;
}

/** Columns that are there and get other values are no part of what stays. */
function withoutMerged(
  { manifest, remembered }: Undoable,
  relation: RelationAccount,
  account: Account,
): RelationAccount {
  const side = manifest?.tables.find(
    ({ mergesInto }) => mergesInto && relationBefore(account, remembered, mergesInto)?.oid === relation.oid,
  );
  const merged = side?.mergesInto?.columns ?? [];
  return { ...relation, columns: relation.columns.filter(({ name }) => !merged.includes(name)) };
}

/** Lost columns are merged into them, or a stored generated column comes back. */
async function writtenAnew(session: Session, undoable: Undoable, account: Account): Promise<RelationAccount[]> {
  const targets = new Set(
    (undoable.manifest?.tables ?? []).flatMap(({ mergesInto }) =>
      mergesInto ? [relationBefore(account, undoable.remembered, mergesInto)?.oid] : [],
    ),
  );
  const regaining = undoable.remembered.changed.filter(
    (change) => change.after.kind === "TABLE" && regains(change.before, change.after),
  );
  const oids = new Set(
    await withDescendants(
      session,
      regaining.map((change) => change.after.address.objid),
    ),
  );
  return [...account.relations.values()].filter(({ oid, kind }) => targets.has(oid) || (kind === "r" && oids.has(oid)));
}

/** Tables with their partitions and children, which get a parent's columns too. */
async function withDescendants(session: Session, oids: readonly number[]): Promise<number[]> {
  if (oids.length === 0) return [];
  const rows = await session.sql<{ oid: number }[]>`
    with recursive tree as (
      select unnest(${[...oids]}::oid[]) as oid
      union select inhrelid from tree join pg_inherits on inhparent = tree.oid
    ) select oid from tree`;
  return rows.map(({ oid }) => oid);
}
