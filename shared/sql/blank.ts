import { endsLine } from "./lines.ts";

/**
 * The offset after all white space and comments that begin at `offset`; comments nest as in Postgres.
 * An unterminated comment runs to the end.
 */
export function skipBlank(sql: string, offset: number, also = ""): number {
  let at = offset;
  while (at < sql.length) {
    if (isSpace(sql[at]!) || also.includes(sql[at]!)) at += 1;
    else if (sql.startsWith("--", at)) at = lineEnd(sql, at);
    else if (sql.startsWith("/*", at)) at = commentEnd(sql, at);
    else return at;
  }
  return at;
}

/** Whether SQL is nothing but white space, comments and semicolons: no rollback at all. */
export function isBlankSql(sql: string): boolean {
  return skipBlank(sql, 0, ";") >= sql.length;
}

/** 1-based line and column (UTF-16 units) of an offset. */
export function placeOf(sql: string, offset: number): { line: number; column: number } {
  return placesOf(sql)(offset);
}

/** As `placeOf`, for many offsets of one text: those in rising order cost one walk over it. */
export function placesOf(sql: string): (offset: number) => { line: number; column: number } {
  let known = { at: 0, line: 1, start: 0 };
  return (offset) => {
    if (offset < known.at) known = { at: 0, line: 1, start: 0 };
    let { at, line, start } = known;
    for (; at < offset && at < sql.length; at += 1) {
      if (!endsLine(sql, at)) continue;
      line += 1;
      start = at + 1;
    }
    known = { at, line, start };
    return { line, column: offset - start + 1 };
  };
}

/** `sql` with a range replaced by spaces; line breaks stay, so that later places stay right. */
export function blankOut(sql: string, from: number, to: number): string {
  return sql.slice(0, from) + sql.slice(from, to).replace(/[^\r\n]/g, " ") + sql.slice(to);
}

function isSpace(character: string): boolean {
  return /[ \t\r\n\f\v\uFEFF]/.test(character);
}

function lineEnd(sql: string, offset: number): number {
  let end = offset;
  while (end < sql.length && sql[end] !== "\n" && sql[end] !== "\r") end += 1;
  return end;
}

function commentEnd(sql: string, offset: number): number {
  let depth = 0;
  for (let at = offset; at < sql.length; at += 1) {
    if (sql.startsWith("/*", at)) {
      depth += 1;
      at += 1;
    } else if (sql.startsWith("*/", at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  return sql.length;
}
