import { tableDigest } from "../../archive/table-digest.ts";
import type { ArchivedTable, Manifest } from "../../archive/types.ts";
import type { Session } from "../../postgres/session.ts";
import type { Account, RelationAccount } from "../guard/account.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { type TableState, tableState } from "../transaction/table-state.ts";
import { conflict, type Discards } from "./conflicts.ts";
import { tableKeyOf } from "./left-to-do.ts";
import { madeColumns, writtenSince } from "./made-columns.ts";
import type { UndoConflict } from "./plan-types.ts";

/** Counts and digests that hold for as long as the tables are locked, so that planning again is cheap. */
export type KnownStates = Map<string, { readonly rows: number; readonly digest: string }>;

export interface RowsContext {
  readonly session: Session;
  readonly account: Account;
  readonly discards: Discards;
  readonly known: KnownStates;
}

/** What is left to do with rows, and what of it meets rows that changed since. */
export interface StandingRows {
  readonly rewritten: readonly TableState[];
  readonly made: readonly TableState[];
  readonly manifest: Manifest | null;
  /** Tables whose rows are there as they were archived. */
  readonly present: readonly string[];
  readonly conflicts: readonly UndoConflict[];
}

/** What became of one table: what is left to do with it, or why that cannot be done. */
interface Verdict {
  readonly state?: TableState;
  readonly load?: ArchivedTable;
  readonly present?: string;
  readonly conflict?: UndoConflict;
}

/**
 * Compares the tables of now with how the rollback left them, and with the archive where they are back already.
 * `all`: as the record has it; `left`: what of it is left to do by the catalog.
 */
export async function standingRows(
  context: RowsContext,
  all: Remembered,
  left: Remembered,
  manifest: Manifest | null,
): Promise<StandingRows> {
  const archived = new Map((manifest?.tables ?? []).map((table) => [tableKeyOf(table), table]));
  const rewritten: Verdict[] = [];
  const taken = new Set<ArchivedTable>();
  for (const state of all.rewritten) {
    const table = archived.get(tableKeyOf(nameBefore(all, state)));
    if (table !== undefined) taken.add(table);
    rewritten.push(await rewrittenTable(context, left, state, table));
  }
  const others: Verdict[] = [];
  for (const table of manifest?.tables ?? [])
    if (!taken.has(table)) others.push(await archivedTable(context, all, left, table));
  const made: Verdict[] = [];
  for (const state of all.made) made.push(await madeTable(context, state));
  const verdicts = [...rewritten, ...others, ...made];
  const loads = new Set(verdicts.flatMap(({ load }) => load ?? []));
  return {
    rewritten: [...rewritten, ...others].flatMap(({ state }) => state ?? []),
    made: made.flatMap(({ state }) => state ?? []),
    manifest: manifest === null ? null : { ...manifest, tables: manifest.tables.filter((table) => loads.has(table)) },
    present: verdicts.flatMap(({ present }) => present ?? []),
    conflicts: [...verdicts.flatMap((verdict) => verdict.conflict ?? []), ...(await writtenColumns(context, left))],
  };
}

async function rewrittenTable(
  context: RowsContext,
  left: Remembered,
  state: TableState,
  table: ArchivedTable | undefined,
): Promise<Verdict> {
  const name = fullName(state);
  const relation = context.account.relations.get(state.oid);
  if (relation === undefined) {
    const what = `${name} is gone, and its rows have nowhere to go back to`;
    return { conflict: conflict("object_gone", name, what) };
  }
  const load = table === undefined ? {} : { load: table };
  const settled = table !== undefined && tableKeyOf(table) === tableKeyOf(state) && isSettled(left, relation);
  if (settled && (await holds(context, relation, table.columns, table))) return { present: name };
  if (await sameAsLeft(context, relation, state)) return { state, ...load };
  return { state, ...load, conflict: rowsChanged(context, name, `rows of ${name} changed since`) };
}

/** A table that was dropped, or columns that were: to be loaded, unless they are there again. */
async function archivedTable(
  context: RowsContext,
  all: Remembered,
  left: Remembered,
  table: ArchivedTable,
): Promise<Verdict> {
  const target = table.mergesInto ?? table;
  const key = tableKeyOf(target);
  const was = [...all.removed, ...all.changed.map((change) => change.before)].some((entry) => entry.key === key);
  const leaves = [...left.removed, ...left.changed.map((change) => change.before)].some((entry) => entry.key === key);
  const relation = named(context.account, target);
  if (!was || leaves || relation === undefined) return { load: table };
  if (await holds(context, relation, table.columns, table)) return { present: fullName(target) };
  const name = fullName(target);
  const found = rowsChanged(context, name, `${name} is there again, with other rows than were archived`);
  return {
    load: table,
    conflict: found,
    ...(table.mergesInto === null ? { state: await tableState(context.session, relation) } : {}),
  };
}

/** Somebody may have taken away meanwhile what the rollback made: nothing is left to do then. */
async function madeTable(context: RowsContext, state: TableState): Promise<Verdict> {
  const relation = context.account.relations.get(state.oid);
  if (relation === undefined) return {};
  if (await sameAsLeft(context, relation, state)) return { state };
  const name = fullName(state);
  const what = `rows of ${name}, which the rollback made, changed since`;
  return { state, conflict: rowsChanged(context, name, what) };
}

async function writtenColumns({ session, account, discards }: RowsContext, left: Remembered): Promise<UndoConflict[]> {
  const found: UndoConflict[] = [];
  for (const made of madeColumns(left, account)) {
    const table = `${made.relation.schema}.${made.relation.name}`;
    for (const column of await writtenSince(session, made)) {
      const what = `column ${column} of ${table}, which the rollback added, was written since`;
      found.push(conflict("column_written", table, what, { discard: table, discards }));
    }
  }
  return found;
}

function rowsChanged({ discards }: RowsContext, table: string, what: string): UndoConflict {
  return conflict("rows_changed", table, what, { discard: table, discards });
}

/** Only where nothing of the table's definition, and nothing that it needs, goes back, its rows may stay as they are. */
function isSettled(left: Remembered, { oid, schema, name }: RelationAccount): boolean {
  const key = tableKeyOf({ schema, table: name });
  const going = [...left.changed.map((change) => change.after), ...left.added];
  const own = going.some((entry) => entry.key === key || entry.address.objid === oid);
  const types = [...going, ...left.removed].some(({ kind }) => kind === "TYPE" || kind === "DOMAIN");
  return !own && !types && !(left.madeColumns ?? []).some((made) => made.oid === oid);
}

async function sameAsLeft(context: RowsContext, relation: RelationAccount, state: TableState): Promise<boolean> {
  if (relation.schema !== state.schema || relation.name !== state.table) return false;
  return holds(context, relation, storedColumns(relation), state);
}

export function storedColumns({ columns }: RelationAccount): string[] {
  return columns.filter(({ generated }) => !generated).map(({ name }) => name);
}

/** Under which the count and digest of a table over these columns is known. */
export function stateKey(oid: number, columns: readonly string[]): string {
  return JSON.stringify([oid, columns]);
}

/** Whether a table holds these rows, by count and digest over the columns. */
async function holds(
  { session, known }: RowsContext,
  { oid, schema, name, columns: all }: RelationAccount,
  columns: readonly string[],
  wanted: { readonly rows: number; readonly digest: string },
): Promise<boolean> {
  const there = new Set(all.map((column) => column.name));
  if (!columns.every((column) => there.has(column))) return false;
  const key = stateKey(oid, columns);
  const found = known.get(key) ?? (await tableDigest(session, { schema, table: name, columns }));
  known.set(key, found);
  return found.rows === wanted.rows && found.digest === wanted.digest;
}

function named(account: Account, { schema, table }: { schema: string; table: string }): RelationAccount | undefined {
  return [...account.relations.values()].find((each) => each.schema === schema && each.name === table);
}

/** The name that a surviving table had before the rollback. */
function nameBefore({ renamedTables }: Remembered, { schema, table }: TableState) {
  const renamed = renamedTables.find((each) => each.schema === schema && each.table === table);
  return renamed === undefined ? { schema, table } : { schema: renamed.fromSchema, table: renamed.from };
}

function fullName({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return `${schema}.${table}`;
}
