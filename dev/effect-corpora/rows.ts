import { readCatalog } from "../../shared/catalog/read.ts";
import { lossesOf } from "../../shared/migrations/prove/rows/losses.ts";
import { type RowState, readRows, type TableRows } from "../../shared/migrations/prove/rows/read-rows.ts";
import { seedRows } from "../../shared/migrations/prove/rows/seed.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { type ResolvedEffect, resolveEffect } from "../../shared/rollback/effect/effect.ts";
import { readDependencyGraph } from "../../shared/rollback/effect/read-graph.ts";
import { type Losses, readLosses } from "../../shared/rollback/plan/losses.ts";
import { prepareRollbackSql } from "../../shared/sql/prepare.ts";

/** What was told and counted of rows, sequences and columns, and what really went of generated rows. */
export interface RowsToldAndDone {
  readonly error: string | null;
  /** Where the two differ, for people; empty when they are equal. */
  readonly wrong: readonly string[];
  /** Rows and columns that really went, so that something was compared. */
  readonly gone: number;
}

/** Tells and runs the rollback over generated rows, in a transaction that is then taken back. */
export async function tellAndLose(session: Session, rollback: string): Promise<RowsToldAndDone> {
  const prepared = prepareRollbackSql(rollback, { file: "rollback.sql", line: 1 });
  await session.run("begin");
  try {
    await seedRows(session, { rows: 2, seed: 1 });
    const graph = await readDependencyGraph(session);
    const told = resolveEffect(prepared.statements, graph, await readCatalog(session));
    const counting = { appliedAt: null, countUpToRows: 1_000_000, createdTables: new Set<number>(), takenBy: () => "" };
    const losses = await readLosses(session, told, graph, counting);
    const before = await readRows(session);
    const sequences = await readSequenceOids(session);
    await session.run(prepared.sql);
    await session.run("reset role; reset all");
    const after = await readRows(session);
    const left = new Set(await readSequenceOids(session));
    return {
      error: null,
      wrong: [
        ...tablesThatDiffer(losses, before, after),
        ...columnsThatDiffer(losses, before, after),
        ...valuesUntold(told, before, after),
        ...sequencesThatDiffer(
          told,
          sequences.filter((oid) => !left.has(oid)),
        ),
      ],
      gone: lossesOf(before, after, "since").length,
    };
  } catch (error) {
    return { error: (error as Error).message, wrong: [], gone: 0 };
  } finally {
    await session.run("rollback");
  }
}

function tablesThatDiffer(losses: Losses, before: RowState, after: RowState): string[] {
  const left = new Set(after.map(({ oid }) => oid));
  const gone = new Map(before.filter(({ oid }) => !left.has(oid)).map((table) => [table.oid, table]));
  const told = new Map(losses.tables.map((table) => [table.oid, table]));
  return [
    ...[...gone.values()].flatMap((table) => {
      const said = told.get(table.oid);
      if (said === undefined) return [`table ${nameOf(table)} went with ${table.count} rows, and was not told`];
      return said.rows === table.count ? [] : [`table ${nameOf(table)}: ${said.rows} rows told, ${table.count} went`];
    }),
    ...[...told.values()].flatMap(({ oid, schema, table }) =>
      gone.has(oid) ? [] : [`table ${schema}.${table} was told to go, and stays`],
    ),
  ];
}

function columnsThatDiffer(losses: Losses, before: RowState, after: RowState): string[] {
  const later = new Map(after.map((table) => [table.oid, table]));
  const told = new Map(losses.columns.map((each) => [each.oid, each]));
  return before.flatMap((table) => {
    const same = later.get(table.oid);
    if (same === undefined) return [];
    const numbers = new Set(same.columns.map(({ number }) => number));
    const gone = table.columns.filter(({ number, generated }) => !numbers.has(number) && !generated);
    const names = gone
      .map(({ name }) => name)
      .sort()
      .join();
    const said = told.get(table.oid);
    if (names !== [...(said?.columns ?? [])].sort().join())
      return [`columns of ${nameOf(table)}: told ${said?.columns ?? "none"}, went ${names || "none"}`];
    if (said === undefined) return [];
    const places = gone.map((column) => table.columns.indexOf(column));
    const held = (table.rows ?? []).filter((row) => places.some((place) => row[place] !== null)).length;
    return held === said.rows
      ? []
      : [`columns ${names} of ${nameOf(table)}: ${said.rows} rows told, ${held} had values`];
  });
}

/** Rows and values that went from tables which stay: the plan must have said that the SQL may change their rows. */
function valuesUntold(told: ResolvedEffect, before: RowState, after: RowState): string[] {
  const may = new Set(
    told.locks.flatMap(({ oid, mayChangeRows, mode }) => (mayChangeRows || mode === "ACCESS EXCLUSIVE" ? [oid] : [])),
  );
  const later = new Map(after.map((table) => [table.oid, table]));
  return before.flatMap((table) => {
    const same = later.get(table.oid);
    if (same === undefined || may.has(table.oid)) return [];
    const left = new Set(same.columns.map(({ number }) => number));
    const kept = { ...table, columns: table.columns.filter(({ number }) => left.has(number)) };
    if (kept.columns.length < table.columns.length) return [];
    return lossesOf([kept], [same], "since").map(
      ({ columns }) => `${columns ?? "rows"} of ${nameOf(table)} changed, and that was not told`,
    );
  });
}

function sequencesThatDiffer(told: ResolvedEffect, gone: readonly number[]): string[] {
  const said = [...told.lostSequences].sort().join();
  return said === [...gone].sort().join() ? [] : [`sequences: told ${said || "none"}, went ${gone.join() || "none"}`];
}

async function readSequenceOids(session: Session): Promise<number[]> {
  const rows = await session.run(
    "select oid::int8::float8 as oid from pg_class where relkind = 'S' and relpersistence <> 't'",
  );
  return rows.map(({ oid }) => oid as number);
}

function nameOf({ schema, name }: TableRows): string {
  return `${schema}.${name}`;
}
