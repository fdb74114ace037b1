import { tableDigest } from "../../archive/table-digest.ts";
import { compareCatalogs } from "../../catalog/differences.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import { type Account, readAccount } from "../guard/account.ts";
import { judge } from "../guard/guard.ts";
import { keyOf } from "../guard/guard-catalog.ts";
import { guardLoss } from "../guard/guard-loss.ts";
import type { Violation } from "../guard/types.ts";
import { copiedTables, movedNote, removeKept } from "../preserve/bring-back.ts";
import { keptKeys, reloadedTables } from "../preserve/kept.ts";
import { sameButForColumnOrder } from "../transaction/column-order.ts";
import { isLockFailure, lockTables } from "../transaction/locks.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { tableState } from "../transaction/table-state.ts";
import { setLocal } from "../transaction/timeouts.ts";
import { expectedEntries } from "./entries.ts";
import { sequencesOf } from "./kept.ts";
import { madeColumns, withoutMade } from "./made-columns.ts";
import { nameBefore } from "./relation-before.ts";
import { type LoadedRows, requireLoaded } from "./rows.ts";
import type { UndoAttempt, UndoBefore } from "./types.ts";

export interface CheckedUndo {
  readonly notes: readonly string[];
  /** As it will be committed. */
  readonly catalog: Catalog;
}

/** Compares catalog and account with what was before the rollback; throws when it is not the same. */
export async function checkUndo(
  attempt: UndoAttempt,
  before: UndoBefore,
  loaded: readonly LoadedRows[],
): Promise<CheckedUndo> {
  const { session, undoable } = attempt;
  const keptNotes = undoable.kept ? [...movedNote(undoable.kept), ...(await removeKept(session, undoable.kept))] : [];
  await session.run("set constraints all immediate");
  const catalog = await attempt.watch.read();
  const notes = [...keptNotes, ...requireCatalogBack(undoable.remembered, before.catalog.entries, catalog.entries)];
  await requireNothingElse(attempt, before, loaded, catalog);
  await requireOthersEqual(attempt, before);
  await requireLoaded(session, loaded);
  for (const { table, orphans } of loaded)
    if (orphans > 0)
      notes.push(
        `${orphans} archived values of ${table.mergesInto!.table} found no row: those rows were deleted since`,
      );
  return { notes, catalog };
}

export function requireCatalogBack(
  remembered: Remembered,
  before: readonly Entry[],
  after: readonly Entry[],
): string[] {
  const expected = expectedEntries(remembered, before);
  const difference = compareCatalogs({ entries: expected }, { entries: after });
  const notes: string[] = [];
  const wrong = [
    ...difference.removed.map(({ key }) => `${key} is missing`),
    ...difference.added.map(({ key }) => `${key} is too much`),
  ];
  for (const change of difference.changed)
    if (sameButForColumnOrder(change.before, change.after) && !exchanged(remembered, change.before))
      notes.push(`${change.before.key}: columns in another order`);
    else wrong.push(`${change.before.key} differs`);
  if (wrong.length > 0)
    throw new BelayError(
      "end_state_differs",
      `the catalog is not as before the rollback: ${wrong.slice(0, 6).join("; ")}`,
      {
        details: { differences: wrong },
      },
    );
  return notes;
}

/** Where columns exchanged their names, another order of the same names means that the values are exchanged. */
function exchanged(remembered: Remembered, { schema, name }: Entry): boolean {
  const own = remembered.renamedColumns.filter((one) => one.schema === schema && one.table === name);
  return own.some(({ to }) => own.some(({ from }) => from === to));
}

/** The same guard as for the rollback: only tables that the undo fills, merges into or removes may have changed. */
async function requireNothingElse(
  attempt: UndoAttempt,
  before: UndoBefore,
  loaded: readonly LoadedRows[],
  catalog: Catalog,
): Promise<void> {
  const { session, undoable } = attempt;
  const { remembered } = undoable;
  const after = await readAccount(session);
  const targets = new Set(
    loaded.map(({ table }) =>
      table.mergesInto === null
        ? `${table.schema}.${table.table}`
        : `${table.mergesInto.schema}.${table.mergesInto.table}`,
    ),
  );
  const oids = [...before.account.relations.values()]
    .filter(({ schema, name }) => targets.has(`${schema}.${name}`))
    .map(({ oid }) => oid);
  const touched = [...remembered.added, ...remembered.changed.map((change) => change.after)];
  const sequences = [...before.account.relations.values()].filter(
    ({ kind, schema, name }) =>
      kind === "S" && sequencesOf(undoable).some((sequence) => sequence.schema === schema && sequence.name === name),
  );
  const madeSequences = touched.filter(({ kind }) => kind === "SEQUENCE").map(({ address }) => address.objid);
  const keys = new Set([...touched.map(({ key }) => key), ...keptKeys(undoable.kept ?? null)]);
  const difference = compareCatalogs(before.catalog, catalog);
  const verdict = judge(before.account, after, difference, {
    tables: new Set([
      ...oids,
      ...copiedTables(undoable.kept ?? null, before.account),
      ...reloadedTables(undoable.kept ?? null, loaded),
      // Proved equal, but for what comes back, by requireOthersEqual.
      ...before.merged.map(({ oid }) => oid),
      ...remembered.rewritten.map(({ oid }) => oid),
      ...remembered.made.map(({ oid }) => oid),
      ...filledAnew(remembered, before.account),
    ]),
    columns: new Map(
      madeColumns(remembered, before.account).map(({ relation, columns }) => [relation.oid, new Set(columns)]),
    ),
    sequences: new Set([...sequences.map(({ oid }) => oid), ...madeSequences]),
    entries: new Set([...keys, ...difference.removed.map(({ key }) => key)]),
    planned: new Set([...keys, ...renamedBack(remembered, before.account)]),
    named: new Set(),
    tolerated: new Set(),
  });
  const violations: Violation[] = [];
  for (const one of verdict.violations)
    if (!isOwnTrigger(remembered, one) && !isMovedBack(undoable, one) && !(await provenEqual(attempt, before, one)))
      violations.push(one);
  if (violations.length > 0) throw guardLoss(`the rollback of ${undoable.migration}`, violations);
}

/** Keys of tables that the rollback renamed, by their names of now. */
function renamedBack({ renamedTables }: Remembered, { relations }: UndoBefore["account"]): string[] {
  return renamedTables.flatMap(({ oid = 0 }) => {
    const relation = relations.get(oid);
    return relation === undefined ? [] : [keyOf(relation)];
  });
}

/** A rule that is made again locks the tables that it writes to; of a table that is moved back no row is counted as changed. */
function isMovedBack({ kept }: UndoAttempt["undoable"], { oid, what }: Violation): boolean {
  const moved = kept?.mode === "quarantine" && kept.kept.some((each) => each.kind === "table" && each.oid === oid);
  return moved && what === "locked for writing rows";
}

/** Materialised views that stay and are filled again: what they hold is computed. */
function filledAnew({ filledViews = [] }: Remembered, { relations }: Account): number[] {
  const names = new Set(filledViews.map(({ schema, name }) => JSON.stringify([schema, name])));
  return [...relations.values()]
    .filter(({ kind, schema, name }) => kind === "m" && names.has(JSON.stringify([schema, name])))
    .map(({ oid }) => oid);
}

/** A deferrable trigger that comes back was off while rows were loaded, and what the forward SQL queued has fired. */
function isOwnTrigger(remembered: Remembered, one: Violation): boolean {
  const back = [...remembered.removed, ...remembered.changed.map((change) => change.before)];
  return (
    one.oid === null &&
    back.some(
      ({ kind, name }) => kind === "TRIGGER" && one.what.includes("COMMIT") && name.endsWith(` ${triggerOf(one)}`),
    )
  );
}

function triggerOf({ subject }: Violation): string {
  return subject.replace(/^trigger /, "");
}

/**
 * Making a rule, a function's own lock: a table may be locked for writing with no row written. It is proved by its
 * digest within the transaction and outside of it, with other writers shut out.
 */
async function provenEqual(attempt: UndoAttempt, before: UndoBefore, one: Violation): Promise<boolean> {
  const { session, control, undoable } = attempt;
  const found = one.oid === null ? undefined : before.account.relations.get(one.oid);
  if (one.what !== "locked for writing rows" || found?.kind !== "r") return false;
  const relation = withoutMade(undoable.remembered, found);
  await lockTables(session, [{ oid: relation.oid, schema: relation.schema, table: relation.name }]);
  const inside = await tableState(session, relation);
  await control.run("begin");
  try {
    await setLocal(control, "lock_timeout", "2s");
    await setLocal(control, "row_security", "off");
    const outside = await tableState(control, relation);
    return inside.rows === outside.rows && inside.digest === outside.digest;
  } catch (error) {
    // Our own transaction may have altered the table: nobody else can look at it then.
    if (isLockFailure(error)) return false;
    throw error;
  } finally {
    await control.run("rollback");
  }
}

/** A merge writes rows of a table that stays: what it had before, by the names of before, must be equal. */
async function requireOthersEqual({ session, undoable }: UndoAttempt, before: UndoBefore): Promise<void> {
  for (const state of before.merged) {
    const { schema, table } = state;
    const names = namesBack(undoable.remembered, schema, table);
    const now = await tableDigest(session, {
      ...nameBefore(undoable.remembered, state.oid, { schema, table }),
      columns: state.columns.map((name) => names.get(name) ?? name),
    });
    if (now.rows !== state.rows || now.digest !== state.digest)
      throw guardLoss(`the rollback of ${undoable.migration}`, [
        { subject: `${schema}.${table}`, oid: state.oid, what: "other columns changed by the merge", curable: false },
      ]);
  }
}

/** Names of today to names of before, for columns that the rollback renamed. */
export function namesBack(remembered: Remembered, schema: string, table: string): Map<string, string> {
  const own = remembered.renamedColumns.filter((one) => one.schema === schema && one.table === table);
  return new Map(own.map(({ from, to }) => [to, from]));
}
