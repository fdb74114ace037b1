import type { Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { RelationAccount } from "../guard/account.ts";
import { lockTables } from "../transaction/locks.ts";
import { type TableState, tableState } from "../transaction/table-state.ts";
import { regains } from "./columns.ts";
import { madeColumns, writtenSince } from "./made-columns.ts";
import type { Undoable, UndoBefore } from "./types.ts";

/** Throws `undo_conflict` naming newer objects in the way, and rows changed since in tables that the undo replaces. */
export async function requireNoConflict(session: Session, undoable: Undoable, before: UndoBefore): Promise<void> {
  const { remembered } = undoable;
  const now = new Map(before.catalog.entries.map((entry) => [entry.key, entry]));
  const conflicts: string[] = [];
  const goes = new Set(
    [...remembered.added, ...remembered.changed.map((change) => change.after)].map(({ key }) => key),
  );
  const named = byRelationName(before.catalog.entries.filter(({ key }) => !goes.has(key)));
  for (const entry of remembered.removed) {
    const other = named.get(relationName(entry) ?? "");
    if (now.has(entry.key) && !goes.has(entry.key)) conflicts.push(`${entry.key} exists again`);
    else if (other !== undefined) conflicts.push(`${other} has the name of ${entry.key}`);
  }
  for (const { after } of remembered.changed)
    if (now.get(after.key)?.hash !== after.hash) conflicts.push(`${after.key} was changed since`);
  for (const entry of remembered.added)
    if (now.get(entry.key)?.hash !== entry.hash) conflicts.push(`${entry.key} was changed since`);
  const replaced = [...remembered.rewritten, ...remembered.made];
  const stay = await writtenAnew(session, undoable, before);
  const merged = stay.map(({ oid, schema, name }) => ({ oid, schema, table: name }));
  const made = madeColumns(remembered, before.account);
  const gaining = made.map(({ relation: { oid, schema, name } }) => ({ oid, schema, table: name }));
  await lockTables(session, [
    ...replaced.filter(({ oid }) => before.account.relations.has(oid)),
    ...merged,
    ...gaining,
  ]);
  for (const state of replaced) {
    const conflict = await rowsChanged(session, state, before);
    if (conflict !== null) conflicts.push(conflict);
  }
  for (const each of made)
    for (const column of await writtenSince(session, each))
      conflicts.push(
        `column ${column} of ${each.relation.schema}.${each.relation.name}, which the rollback added, was written since`,
      );
  if (conflicts.length === 0) return;
  throw new BelayError(
    "undo_conflict",
    `undoing the rollback of ${undoable.migration} would meet newer changes: ${conflicts.slice(0, 8).join("; ")}`,
    {
      hint: "Nothing changed. Settle these by hand, or restore the archive beside them with pg_restore.",
      details: { conflicts },
    },
  );
}

/** Kinds that share one space of names within a schema: pg_class, and pg_type by the row types of tables. */
const namedAlike = new Set([
  "TABLE",
  "VIEW",
  "MATERIALIZED VIEW",
  "FOREIGN TABLE",
  "SEQUENCE",
  "INDEX",
  "TYPE",
  "DOMAIN",
]);

function relationName({ kind, schema, name }: Entry): string | null {
  return namedAlike.has(kind) ? JSON.stringify([schema, name]) : null;
}

function byRelationName(entries: readonly Entry[]): Map<string, string> {
  const named = new Map<string, string>();
  for (const entry of entries) {
    const name = relationName(entry);
    if (name !== null) named.set(name, entry.key);
  }
  return named;
}

async function rowsChanged(session: Session, state: TableState, before: UndoBefore): Promise<string | null> {
  const name = `${state.schema}.${state.table}`;
  const relation = before.account.relations.get(state.oid);
  if (relation === undefined) return `${name} is gone`;
  const now = await tableState(session, relation);
  return now.rows === state.rows && now.digest === state.digest ? null : `rows of ${name} changed since`;
}

/**
 * Surviving tables whose rows the undo writes, as they are now: lost columns are merged into them, or a stored generated
 * column comes back.
 */
export async function writtenAnew(
  session: Session,
  undoable: Undoable,
  before: Pick<UndoBefore, "account">,
): Promise<RelationAccount[]> {
  const targets = new Set(
    (undoable.manifest?.tables ?? []).flatMap(({ mergesInto }) =>
      mergesInto ? [JSON.stringify([mergesInto.schema, mergesInto.table])] : [],
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
  return [...before.account.relations.values()].filter(
    ({ oid, kind, schema, name }) => targets.has(JSON.stringify([schema, name])) || (kind === "r" && oids.has(oid)),
  );
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
