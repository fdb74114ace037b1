import { isBelayError } from "../../errors.ts";
import type { LedgerRow } from "../../migrations/ledger/ledger.ts";
import { type PreparedSql, prepareRollbackSql } from "../../sql/prepare.ts";
import type { PlacedStatement } from "../effect/statements.ts";
import type { SetUnit } from "./set.ts";

/** Where the rollback SQL is broken. */
export interface SyntaxFacts {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** One unit of the set with its SQL made ready to run. */
export interface PreparedUnit extends SetUnit {
  /** File and line at which the rollback SQL begins, as the ledger knows them. */
  readonly file: string;
  readonly line: number;
  /** Empty when there is no rollback SQL or it does not parse. */
  readonly prepared: PreparedSql;
  readonly syntax: SyntaxFacts | null;
}

const nothing: PreparedSql = { sql: "", statements: [], rewrites: [], refusals: [] };

/** Parses a unit's rollback SQL; a syntax error is a fact, not an exception. */
export function prepareUnit(unit: SetUnit): PreparedUnit {
  const place = rollbackPlace(unit.migration);
  const { rollbackSql } = unit.migration;
  if (rollbackSql === null) return { ...unit, ...place, prepared: nothing, syntax: null };
  try {
    return { ...unit, ...place, prepared: prepareRollbackSql(rollbackSql, place), syntax: null };
  } catch (error) {
    if (!isBelayError(error, "sql_syntax")) throw error;
    const { line, column } = error.details;
    const syntax = { message: error.message, line: (line as number) ?? null, column: (column as number) ?? null };
    return { ...unit, ...place, prepared: nothing, syntax };
  }
}

function rollbackPlace({ metadata, sourceFile }: LedgerRow): { file: string; line: number } {
  const line = Number(metadata.rollbackLine ?? 1);
  return { file: String(metadata.rollbackFile ?? sourceFile), line: line > 0 ? line : 1 };
}

/** The SQL of all units one after another, each under its name; of a single unit as it is. */
export function joinSql(units: readonly PreparedUnit[]): Omit<PreparedSql, "statements"> & { statements: number } {
  const many = units.length > 1;
  const heading = ({ migration, file, line }: PreparedUnit) =>
    `-- ${oneLine(migration.name)} (${oneLine(file)}:${line})\n`;
  return {
    sql: units
      .filter((unit) => !many || unit.prepared.sql.trim() !== "")
      .map((unit) => (many ? `${heading(unit)}${ended(unit.prepared.sql)}` : unit.prepared.sql))
      .join("\n"),
    rewrites: units.flatMap(({ migration, prepared }) =>
      prepared.rewrites.map((each) => (many ? `${migration.name}: ${each}` : each)),
    ),
    refusals: units.flatMap(({ prepared }) => prepared.refusals),
    statements: units.reduce((sum, { prepared }) => sum + prepared.statements.length, 0),
  };
}

/** A last statement without its semicolon must not run into the next file's first; a comment may stand at the end. */
function ended(sql: string): string {
  const text = sql.trimEnd();
  return text.endsWith(";") ? `${text}\n` : `${text}\n;\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}

/** Every statement with the unit that it comes from. */
export function placedStatements(units: readonly PreparedUnit[]): PlacedStatement[] {
  return units.flatMap(({ prepared, file }, unit) =>
    prepared.statements.map((statement) => ({ ...statement, file, unit })),
  );
}
