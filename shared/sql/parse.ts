import { hasSqlDetails, loadModule, parseSync, scanSync } from "libpg-query";
import { BelayError } from "../errors.ts";
import type { SourcePlace } from "../migrations/types.ts";
import { isBlankSql, placeOf, placesOf, skipBlank } from "./blank.ts";

await loadModule();

/** A parse tree node as libpg-query gives it: field names of Postgres' own nodes. */
export type SqlNode = Readonly<Record<string, unknown>>;

/** One SQL statement with its parse tree and its place. */
export interface Statement {
  /** The node's name: `DropStmt`, `AlterTableStmt`... */
  readonly kind: string;
  /** Without leading comments and without the semicolon. */
  readonly text: string;
  /** Offset of `text` in the SQL, in UTF-16 units. */
  readonly offset: number;
  /** 1-based, in the file that the SQL came from. */
  readonly line: number;
  /** 1-based, in the SQL's own line. */
  readonly column: number;
  readonly node: SqlNode;
}

/** A token of the Postgres scanner; offsets in UTF-16 units. */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Parses SQL with Postgres 18's own parser. Throws `sql_syntax` with file, line, column and a caret line.
 * `place` is where the SQL's first line stands.
 */
export function parseSql(sql: string, place: SourcePlace): Statement[] {
  refuseNul(sql, place);
  if (isBlankSql(sql)) return [];
  const text = sql.replace(/^\uFEFF/, " ");
  let tree: ReturnType<typeof parseSync>;
  try {
    tree = parseSync(text);
  } catch (error) {
    throw syntaxError(text, place, error);
  }
  const toOffset = byteOffsets(text);
  const toPlace = placesOf(text);
  return (tree.stmts ?? []).map((raw) => {
    const from = raw.stmt_location ?? 0;
    const length = raw.stmt_len ?? 0;
    const start = skipBlank(text, toOffset(from), ";");
    const end = length === 0 ? text.length : toOffset(from + length);
    const [kind, node] = Object.entries(raw.stmt as object)[0] as [string, SqlNode];
    const at = toPlace(start);
    return {
      kind,
      text: trimEnd(text.slice(start, end)),
      offset: start,
      line: place.line + at.line - 1,
      column: at.column,
      node,
    };
  });
}

/** The scanner's tokens without comments. */
export function scanSql(sql: string): Token[] {
  const toOffset = byteOffsets(sql);
  return scanSync(sql)
    .tokens.filter((token) => token.tokenName !== "SQL_COMMENT" && token.tokenName !== "C_COMMENT")
    .map((token) => ({ text: token.text, start: toOffset(token.start), end: toOffset(token.end) }));
}

/** Two lines for a terminal: the line of SQL, and a caret under the column. */
export function caretLines(sql: string, offset: number): string {
  const { column } = placeOf(sql, offset);
  const start = offset - column + 1;
  const line = sql.slice(start).split(/\r?\n/, 1)[0]!;
  const from = Math.max(0, column - 61);
  const indent = line.slice(from, column - 1).replace(/[^\t]/gu, " ");
  return `${line.slice(from, from + 120)}\n${indent}^`;
}

function syntaxError(sql: string, place: SourcePlace, error: unknown): BelayError {
  if (!(error instanceof Error)) throw error;
  const characters = hasSqlDetails(error) ? error.sqlDetails!.cursorPosition : 0;
  const offset = Math.min(characterOffset(sql, characters), sql.length);
  const at = placeOf(sql, offset);
  const line = place.line + at.line - 1;
  const caret = caretLines(sql, offset);
  return new BelayError("sql_syntax", `${place.file}:${line}:${at.column}: ${error.message}\n${caret}`, {
    hint:
      sql[offset] === "\\"
        ? "psql commands such as \\i are not SQL: write out what they do."
        : "Mend the SQL, then run the same command again.",
    details: { file: place.file, line, column: at.column, caret, problem: error.message },
    cause: error,
  });
}

// The parser reads a C string: what follows a NUL would silently not be there.
function refuseNul(sql: string, place: SourcePlace): void {
  const offset = sql.indexOf("\0");
  if (offset === -1) return;
  const at = placeOf(sql, offset);
  const line = place.line + at.line - 1;
  throw new BelayError("sql_syntax", `${place.file}:${line}:${at.column}: the SQL holds a NUL character`, {
    hint: "Save the file as UTF-8 text.",
    details: { file: place.file, line, column: at.column },
  });
}

/** Turns the parser's byte offsets, asked for in any order, into UTF-16 offsets. */
function byteOffsets(sql: string): (bytes: number) => number {
  const encoded = new TextEncoder().encode(sql);
  if (encoded.length === sql.length) return (bytes) => bytes;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let known = { bytes: 0, offset: 0 };
  return (bytes) => {
    if (bytes < known.bytes) known = { bytes: 0, offset: 0 };
    known = { bytes, offset: known.offset + decoder.decode(encoded.subarray(known.bytes, bytes)).length };
    return known.offset;
  };
}

/** UTF-16 offset of the n-th character; the parser counts characters in errors, not bytes. */
function characterOffset(sql: string, characters: number): number {
  let offset = 0;
  for (let n = 0; n < characters && offset < sql.length; n += 1) offset += sql.codePointAt(offset)! > 0xffff ? 2 : 1;
  return offset;
}

function trimEnd(text: string): string {
  return text.replace(/[\s;]+$/, "");
}
