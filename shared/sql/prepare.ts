import type { SourcePlace } from "../migrations/types.ts";
import { blankOut } from "./blank.ts";
import { isConcurrent, withoutConcurrently } from "./concurrently.ts";
import { parseSql, type Statement } from "./parse.ts";
import { whyNotTransactional } from "./transactional.ts";

/** A statement that cannot be part of a rollback, with its place and the reason. */
export interface SqlRefusal {
  readonly line: number;
  readonly column: number;
  readonly statement: string;
  readonly reason: string;
}

/** Rollback SQL made ready to run inside Belay's own transaction. */
export interface PreparedSql {
  /** What would run; line breaks are kept, so that places in it are places in the file. */
  readonly sql: string;
  readonly statements: readonly Statement[];
  /** What was taken off or rewritten, for people. */
  readonly rewrites: readonly string[];
  /** Not empty: the SQL must not run. */
  readonly refusals: readonly SqlRefusal[];
}

/**
 * Takes one BEGIN ... COMMIT around the whole off, rewrites CONCURRENTLY, and names what cannot run in a transaction.
 * No statements and no refusals: the SQL is empty. Throws `sql_syntax`.
 */
export function prepareRollbackSql(source: string, place: SourcePlace): PreparedSql {
  const rewrites: string[] = [];
  const sql = source.replace(/^\uFEFF/, " ");
  const inner = takeOffTransaction(sql, parseSql(sql, place), rewrites);
  const plain = rewriteConcurrently(inner, parseSql(inner, place), rewrites);
  const statements = parseSql(plain, place);
  const refusals = statements.flatMap((statement) => {
    const reason =
      whyNotTransactional(statement) ?? (isConcurrent(statement) ? "CONCURRENTLY cannot run in a transaction" : null);
    if (reason === null) return [];
    return [{ line: statement.line, column: statement.column, statement: firstLine(statement.text), reason }];
  });
  return { sql: plain, statements, rewrites, refusals };
}

function takeOffTransaction(sql: string, statements: readonly Statement[], rewrites: string[]): string {
  const first = statements[0];
  const last = statements.at(-1);
  if (statements.length < 2 || !begins(first!) || !commits(last!)) return sql;
  const middle = statements.slice(1, -1);
  if (middle.some((statement) => statement.kind === "TransactionStmt")) return sql;
  rewrites.push(
    `${firstLine(first!.text)} (line ${first!.line}) and ${firstLine(last!.text)} (line ${last!.line}) taken off: the rollback runs in one transaction of its own`,
  );
  return blankStatement(blankStatement(sql, last!), first!);
}

function begins(statement: Statement): boolean {
  return (
    statement.kind === "TransactionStmt" &&
    ["TRANS_STMT_BEGIN", "TRANS_STMT_START"].includes(String(statement.node.kind))
  );
}

function commits(statement: Statement): boolean {
  return (
    statement.kind === "TransactionStmt" && statement.node.kind === "TRANS_STMT_COMMIT" && statement.node.chain !== true
  );
}

function blankStatement(sql: string, statement: Statement): string {
  const end = statement.offset + statement.text.length;
  const semicolon = /^\s*;/.exec(sql.slice(end));
  return blankOut(sql, statement.offset, end + (semicolon?.[0].length ?? 0));
}

function rewriteConcurrently(sql: string, statements: readonly Statement[], rewrites: string[]): string {
  let rewritten = sql;
  for (const statement of [...statements].reverse()) {
    if (!isConcurrent(statement)) continue;
    const text = withoutConcurrently(statement);
    if (text === null) continue;
    rewritten = rewritten.slice(0, statement.offset) + text + rewritten.slice(statement.offset + statement.text.length);
    rewrites.unshift(`CONCURRENTLY taken off in line ${statement.line}: ${firstLine(statement.text)}`);
  }
  return rewritten;
}

function firstLine(text: string): string {
  const line = text.split(/\r?\n/, 1)[0]!.trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
