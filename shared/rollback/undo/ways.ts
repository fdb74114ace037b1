import { qualified } from "../../catalog/identifiers.ts";
import type { Entry } from "../../catalog/types.ts";
import { BelayError } from "../../errors.ts";
import { readLedger } from "../../migrations/ledger/ledger.ts";
import type { Session } from "../../postgres/session.ts";
import { prepareRollbackSql } from "../../sql/prepare.ts";
import { tableKey } from "../execute/archive-scope.ts";
import type { Remembered } from "../transaction/remembered.ts";
import { defaultSurroundings, resetSurroundings } from "../transaction/run-sql.ts";
import { setLocal } from "../transaction/timeouts.ts";
import { requireCatalogBack } from "./check.ts";
import { expectedEntries, schemaFromEntries } from "./entries.ts";
import { foreignKeysOff } from "./foreign-keys.ts";
import { grantsBack } from "./grants.ts";
import { loadAll, manifestsOf, movesBack, sequencesOf } from "./kept.ts";
import { objectsBack, withSchemasBack } from "./object-renamings.ts";
import { placesFreed, renamingsBack } from "./renamings.ts";
import type { LoadedRows } from "./rows.ts";
import { setSequences } from "./sequences.ts";
import type { UndoAttempt, UndoBefore, Way } from "./types.ts";

/** The migration's own forward SQL, then the rows over what it made. */
export const forwardWay: Way = {
  name: "by the migration's forward SQL",
  run: async (attempt, before) => {
    const { session, undoable, belay } = attempt;
    if (undoable.kept?.mode === "quarantine" && undoable.kept.standing)
      throw new BelayError("undo_conflict", "what was moved comes back by moving it, not by making it anew");
    const { searchPath } = await defaultSurroundings(session);
    for (const sql of await forwardSqls(session, undoable.migrations)) {
      await setLocal(session, "search_path", searchPath);
      await session.run(sql);
      await resetSurroundings(session, belay.settings);
    }
    await settleGrants(attempt, before);
    requireCatalogBack(undoable.remembered, before.catalog.entries, (await attempt.watch.read()).entries);
    return await fill(attempt);
  },
};

/** Forward SQL of the migrations, oldest first, made ready to run in a transaction. */
async function forwardSqls(session: Session, names: readonly string[]): Promise<string[]> {
  const ledger = (await readLedger(session)).filter(({ name }) => names.includes(name));
  return ledger.map(({ name, forwardSql }) => {
    if (forwardSql === null || forwardSql.trim() === "")
      throw new BelayError("undo_conflict", `no forward SQL of ${name} is stored`);
    const prepared = prepareRollbackSql(forwardSql, { file: `${name}.sql`, line: 1 });
    if (prepared.refusals.length > 0)
      throw new BelayError("undo_conflict", `the forward SQL of ${name} cannot run in a transaction`);
    return prepared.sql;
  });
}

/** The stored entries: pre-data, rows, then keys, constraints, triggers and policies. */
async function runEntries(attempt: UndoAttempt, before: UndoBefore, searchPath: string): Promise<LoadedRows[]> {
  const { session, undoable } = attempt;
  const { remembered } = undoable;
  const emptied = new Set<string>();
  await setLocal(session, "search_path", searchPath);
  await setLocal(session, "default_tablespace", "");
  await setLocal(session, "default_table_access_method", "heap");
  await foreignKeysOff(session, oidsOf(remembered));
  for (const { schema, table } of remembered.rewritten) {
    await session.run(`truncate only ${qualified(schema, table)}`);
    emptied.add(tableKey(schema, table));
  }
  const moves = await movesBack(session, undoable);
  const objects = objectsBack(remembered, before.catalog.entries);
  const tables = withSchemasBack(remembered, objects.schemas);
  for (const statement of objects.statements) await runStatement(attempt, statement);
  for (const statement of await placesFreed(session, tables)) await runStatement(attempt, statement);
  for (const statement of renamingsBack(tables)) await runStatement(attempt, statement);
  for (const statement of moves) await runStatement(attempt, statement);
  const expected = expectedEntries(remembered, before.catalog.entries);
  const gained = new Map((remembered.madeColumns ?? []).map(({ oid, columns }) => [oid, columns]));
  const back = schemaFromEntries(expected, (await attempt.watch.read()).entries, emptied, gained);
  await session.run("set local check_function_bodies = off");
  for (const statement of back.before) await runStatement(attempt, statement);
  const loaded = await loadAll(attempt);
  for (const statement of back.after) await runStatement(attempt, statement);
  await settleGrants(attempt, before);
  await setSequences(session, sequencesOf(undoable), undoable.remembered.stayedSequences);
  const filled = back.views.filter(({ address }) => before.account.relations.get(address.objid)?.filled === true);
  await fillViews(attempt, filled);
  await setLocal(session, "search_path", "pg_catalog");
  return loaded;
}

/** The stored entries, whose names are all qualified. */
export const entriesWay: Way = {
  name: "from the stored entries",
  run: (attempt, before) => runEntries(attempt, before, "pg_catalog"),
};

/** For functions behind generated columns and indexes that do not qualify what they name. */
export const entriesInPathWay: Way = {
  name: "from the stored entries, under the database's own search_path",
  run: async (attempt, before) => runEntries(attempt, before, (await defaultSurroundings(attempt.session)).searchPath),
};

async function settleGrants(attempt: UndoAttempt, before: UndoBefore): Promise<void> {
  const expected = expectedEntries(attempt.undoable.remembered, before.catalog.entries);
  const now = await attempt.watch.read();
  for (const statement of grantsBack(expected, now.entries)) await runStatement(attempt, statement);
}

/** Materialised views that held rows are filled from the rows that are back; an archive does not hold theirs. */
async function fillViews(attempt: UndoAttempt, madeAgain: readonly Entry[] = []): Promise<void> {
  const filled = attempt.undoable.remembered.filledViews ?? [];
  const names = [...filled, ...madeAgain].map(({ schema, name }) => qualified(schema!, name));
  for (const name of new Set(names)) await runStatement(attempt, `refresh materialized view ${name}`);
}

function oidsOf(remembered: Remembered): number[] {
  return remembered.rewritten.map(({ oid }) => oid);
}

async function runStatement(attempt: UndoAttempt, statement: string): Promise<void> {
  try {
    await attempt.session.run(statement);
  } catch (error) {
    const words = statement.trim().split("\n")[0]!.slice(0, 120);
    throw new BelayError("undo_conflict", `${(error as Error).message} (in: ${words})`, { cause: error });
  }
}

/** Loads rows with the foreign keys off, so that any order and any cycle will do; adding them again checks every row. */
async function fill(attempt: UndoAttempt): Promise<LoadedRows[]> {
  const { session, undoable } = attempt;
  const whole = manifestsOf(undoable).flatMap(({ tables }) => tables.filter(({ role }) => role === "table"));
  const names = whole.map(({ schema, table }) => qualified(schema, table));
  const rows = await session.sql`select name::regclass::oid::int8::text as oid from unnest(${names}::text[]) as name`;
  const keysBack = await foreignKeysOff(
    session,
    rows.map((row) => Number(row.oid)),
  );
  const loaded = await loadAll(attempt);
  for (const statement of keysBack) await runStatement(attempt, statement);
  await setSequences(session, sequencesOf(undoable), undoable.remembered.stayedSequences);
  await fillViews(attempt);
  return loaded;
}
