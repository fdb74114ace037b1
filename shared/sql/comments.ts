import { endsLine } from "./lines.ts";

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
  let lineStart = 0;
  let at = 0;
  const advance = (to: number): void => {
    for (; at < to; at += 1) {
      if (!endsLine(sql, at)) continue;
      line += 1;
      lineStart = at + 1;
    }
  };
  while (at < sql.length) {
    if (sql.startsWith("--", at)) {
      const end = endOfLine(sql, at);
      const wholeLine = sql.slice(lineStart, end);
      const startsLine = sql.slice(lineStart, at).trim() === "";
      found.push({ text: sql.slice(at + 2, end).trim(), wholeLine, line, startsLine, block: false });
      advance(end);
    } else if (sql.startsWith("/*", at)) {
      const end = blockEnd(sql, at);
      for (const inner of blockComment(sql.slice(at, end), line)) found.push(inner);
      advance(end);
    } else advance(tokenEnd(sql, at));
  }
  return found;
}

function blockComment(comment: string, line: number): CommentLine[] {
  return comment.split(/\r\n|\n|\r/).map((wholeLine, index) => ({
    text: withoutMarks(wholeLine),
    wholeLine,
    line: line + index,
    startsLine: false,
    block: true,
  }));
}

// Not by one expression for the end: a line of many stars would be tried from each of them.
function withoutMarks(line: string): string {
  const text = line.trim();
  const begun = text.replace(/^(\/\*+|\*+(?!\/))/, "");
  if (!begun.endsWith("*/")) return begun.trim();
  let end = begun.length - 1;
  while (end > 0 && begun[end - 1] === "*") end -= 1;
  return begun.slice(0, end).trim();
}

function tokenEnd(sql: string, at: number): number {
  const character = sql[at]!;
  if (character === "'") return quotedEnd(sql, at, "'", isEscapeString(sql, at));
  if (character === '"') return quotedEnd(sql, at, '"', false);
  if (character === "$") return dollarEnd(sql, at);
  if (character < "A") return at + 1;
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
  let end = at;
  while (end < sql.length && sql[end] !== "\n" && sql[end] !== "\r") end += 1;
  return end;
}
