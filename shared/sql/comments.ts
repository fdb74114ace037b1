/** A comment outside of strings, quoted names and dollar quotes; one per line of a block comment. */
export interface CommentLine {
  /** Without the comment marks. */
  readonly text: string;
  /** The line as written, from its first character to before its line break. */
  readonly wholeLine: string;
  /** 1-based. */
  readonly line: number;
  /** True when nothing but white space stands before it on its line. */
  readonly startsLine: boolean;
  readonly block: boolean;
}

/** All comment lines of SQL, found as Postgres' scanner finds them; text that never ends runs to the end of the file. */
export function commentLines(sql: string): CommentLine[] {
  const found: CommentLine[] = [];
  let line = 1;
  let at = 0;
  const advance = (to: number): void => {
    for (let next = sql.indexOf("\n", at); next !== -1 && next < to; next = sql.indexOf("\n", next + 1)) line += 1;
    at = to;
  };
  while (at < sql.length) {
    if (sql.startsWith("--", at)) {
      const end = endOfLine(sql, at);
      found.push(lineComment(sql, at, end, line));
      advance(end);
    } else if (sql.startsWith("/*", at)) {
      const end = blockEnd(sql, at);
      found.push(...blockComment(sql, at, end, line));
      advance(end);
    } else advance(tokenEnd(sql, at));
  }
  return found;
}

function lineComment(sql: string, at: number, end: number, line: number): CommentLine {
  const start = sql.lastIndexOf("\n", at - 1) + 1;
  return {
    text: sql.slice(at + 2, end).trim(),
    wholeLine: sql.slice(start, end),
    line,
    startsLine: sql.slice(start, at).trim() === "",
    block: false,
  };
}

function blockComment(sql: string, at: number, end: number, line: number): CommentLine[] {
  const lines = sql.slice(at, end).split("\n");
  return lines.map((wholeLine, index) => ({
    text: wholeLine
      .replace(/^\s*(\/\*+|\*+(?!\/))?/, "")
      .replace(/\*+\/\s*$/, "")
      .trim(),
    wholeLine,
    line: line + index,
    startsLine: false,
    block: true,
  }));
}

function tokenEnd(sql: string, at: number): number {
  const character = sql[at]!;
  if (character === "'") return quotedEnd(sql, at, "'", isEscapeString(sql, at));
  if (character === '"') return quotedEnd(sql, at, '"', false);
  if (character === "$") return dollarEnd(sql, at);
  const word = /^[\p{L}_][\p{L}\p{N}_$]*/u.exec(sql.slice(at, at + 256));
  return at + (word === null ? 1 : word[0].length);
}

// E'...' alone knows backslash escapes; the letter is no part of a longer word.
function isEscapeString(sql: string, at: number): boolean {
  return /(^|[^\p{L}\p{N}_$])[eE]$/u.test(sql.slice(Math.max(0, at - 3), at));
}

function quotedEnd(sql: string, at: number, quote: string, escapes: boolean): number {
  for (let next = at + 1; next < sql.length; next += 1) {
    if (escapes && sql[next] === "\\") next += 1;
    else if (sql[next] === quote) {
      if (sql[next + 1] !== quote) return next + 1;
      next += 1;
    }
  }
  return sql.length;
}

function dollarEnd(sql: string, at: number): number {
  const tag = /^\$([\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(sql.slice(at, at + 128))?.[0];
  if (tag === undefined) return at + 1;
  const end = sql.indexOf(tag, at + tag.length);
  return end === -1 ? sql.length : end + tag.length;
}

function blockEnd(sql: string, at: number): number {
  let depth = 0;
  for (let next = at; next < sql.length; next += 1) {
    if (sql.startsWith("/*", next)) {
      depth += 1;
      next += 1;
    } else if (sql.startsWith("*/", next)) {
      depth -= 1;
      next += 1;
      if (depth === 0) return next + 1;
    }
  }
  return sql.length;
}

function endOfLine(sql: string, at: number): number {
  const end = sql.slice(at).search(/\r?\n|\r$/);
  return end === -1 ? sql.length : at + end;
}
