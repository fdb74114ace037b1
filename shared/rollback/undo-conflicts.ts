import { BelayError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import { lockTables } from "./locks.ts";
import { type TableState, tableState } from "./table-state.ts";
import type { Undoable } from "./undo.ts";
import type { UndoBefore } from "./undo-attempt.ts";

/** Throws `undo_conflict` naming newer objects in the way, and rows changed since in tables that the undo replaces. */
export async function requireNoConflict(session: Session, undoable: Undoable, before: UndoBefore): Promise<void> {
  const { remembered } = undoable;
  const now = new Map(before.catalog.entries.map((entry) => [entry.key, entry]));
  const conflicts: string[] = [];
  for (const entry of remembered.removed) if (now.has(entry.key)) conflicts.push(`${entry.key} exists again`);
  for (const { after } of remembered.changed)
    if (now.get(after.key)?.hash !== after.hash) conflicts.push(`${after.key} was changed since`);
  for (const entry of remembered.added)
    if (now.get(entry.key)?.hash !== entry.hash) conflicts.push(`${entry.key} was changed since`);
  const replaced = [...remembered.rewritten, ...remembered.made];
  await lockTables(
    session,
    replaced.filter(({ oid }) => before.account.relations.has(oid)),
  );
  for (const state of replaced) {
    const conflict = await rowsChanged(session, state, before);
    if (conflict !== null) conflicts.push(conflict);
  }
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

async function rowsChanged(session: Session, state: TableState, before: UndoBefore): Promise<string | null> {
  const name = `${state.schema}.${state.table}`;
  const relation = before.account.relations.get(state.oid);
  if (relation === undefined) return `${name} is gone`;
  const now = await tableState(session, relation);
  return now.rows === state.rows && now.digest === state.digest ? null : `rows of ${name} changed since`;
}
