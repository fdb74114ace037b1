import { isBlankSql } from "../../sql/blank.ts";
import { type CommentLine, commentLines } from "../../sql/comments.ts";
import { rawLines } from "../../sql/lines.ts";
import type { LayoutProblem } from "../types.ts";
import { problemAt, type SourceFile } from "./source.ts";

/** One `-- NAME START` ... `-- NAME END` section of a file. */
export interface Section {
  /** One comment level is stripped when every line is commented. */
  readonly sql: string;
  /** 1-based line of the first line of `sql`. */
  readonly line: number;
  /** The section's SQL stands uncommented: a tool that runs the whole file runs it too. */
  readonly live: boolean;
}

export interface SplitFile {
  /** The file without its sections; line endings as in the file. */
  readonly forwardSql: string;
  readonly rollback: Section | null;
  readonly verify: Section | null;
  readonly problems: readonly LayoutProblem[];
  /** Numbers of the lines that belong to sections, markers included. */
  readonly sectionLines: ReadonlySet<number>;
}

interface Range {
  readonly name: "ROLLBACK" | "VERIFY";
  readonly from: number;
  readonly to: number;
}

const marker = /^\s*-{2,}[\s=*#]*(ROLLBACK|VERIFY)[ \t]+(START|END)[\s=*#:.-]*$/i;

// What people write who mean a marker: more words on its line, or a block comment.
const nearMiss = /^[=*#\s]*(?:ROLLBACK|VERIFY)[ \t]+(?:START|END)\b/i;

/** Splits a file into its forward part and its sections; markers within strings and dollar quotes are text. */
export function splitSections(file: SourceFile): SplitFile {
  const problems: LayoutProblem[] = [];
  const ranges = findRanges(file, problems);
  const raw = rawLines(file.text);
  const lines = raw.map(({ text }) => text);
  const sectionLines = new Set(ranges.flatMap((range) => numbers(range.from, range.to)));
  const forward = raw.filter((_, index) => !sectionLines.has(index + 1));
  const forwardSql = forward.map(({ text, end }) => text + end).join("");
  return {
    forwardSql: ranges.length === 0 ? file.text : forwardSql.trimEnd(),
    rollback: readSection(lines, ranges, "ROLLBACK"),
    verify: readSection(lines, ranges, "VERIFY"),
    problems,
    sectionLines,
  };
}

function noMarker(file: SourceFile, { line, block }: CommentLine): LayoutProblem {
  const why = block ? "it stands in a block comment" : "it does not stand alone on its line";
  return problemAt(file, line, "bad_marker", `this is no marker of a section: ${why}`, "warning");
}

/** Numbers of the lines within rollback sections whose SQL stands uncommented. */
export function liveRollbackLines(file: SourceFile): number[] {
  const lines = rawLines(file.text).map(({ text }) => text);
  return findRanges(file, [])
    .filter(({ name, from, to }) => {
      const inner = stripComments(lines.slice(from, to - 1));
      return name === "ROLLBACK" && inner.live && !isBlankSql(inner.lines.join("\n"));
    })
    .flatMap(({ from, to }) => numbers(from + 1, to - 1));
}

function findRanges(file: SourceFile, problems: LayoutProblem[]): Range[] {
  const ranges: Range[] = [];
  let open: { name: Range["name"]; line: number } | null = null;
  const unterminated = (line: number, message: string): void => {
    problems.push({ code: "unterminated_section", severity: "error", message, place: { file: file.path, line } });
  };
  for (const comment of commentLines(file.text)) {
    const [, name, end] = (comment.startsLine ? marker.exec(comment.wholeLine) : null) ?? [];
    if (name === undefined || end === undefined) {
      if (nearMiss.test(comment.text)) problems.push(noMarker(file, comment));
      continue;
    }
    const section = name.toUpperCase() as Range["name"];
    if (end.toUpperCase() === "START") {
      if (open !== null)
        unterminated(open.line, `${open.name} START without ${open.name} END before line ${comment.line}`);
      open = { name: section, line: comment.line };
    } else if (open?.name === section) {
      ranges.push({ name: section, from: open.line, to: comment.line });
      open = null;
    } else unterminated(comment.line, `${section} END without ${section} START`);
  }
  if (open !== null) unterminated(open.line, `${open.name} START without ${open.name} END`);
  return ranges;
}

// Several sections of one name are one text; blank lines keep every line at its own number.
function readSection(lines: readonly string[], ranges: readonly Range[], name: Range["name"]): Section | null {
  const own = ranges.filter((range) => range.name === name);
  if (own.length === 0) return null;
  const texts = own.map((range) => stripComments(lines.slice(range.from, range.to - 1)));
  const first = own[0]!.from + 1;
  const sql: string[] = [];
  own.forEach((range, index) => {
    while (sql.length < range.from + 1 - first) sql.push("");
    for (const line of texts[index]!.lines) sql.push(line);
  });
  return {
    sql: sql.join("\n"),
    line: first,
    live: texts.some((text) => text.live && !isBlankSql(text.lines.join("\n"))),
  };
}

function stripComments(lines: readonly string[]): { lines: string[]; live: boolean } {
  const live = lines.some((line) => line.trim() !== "" && !/^\s*--/.test(line));
  return { live, lines: live ? lines.slice() : lines.map((line) => line.replace(/^\s*-- ?/, "")) };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
