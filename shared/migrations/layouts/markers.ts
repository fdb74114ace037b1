import { commentLines } from "../../sql/comments.ts";
import type { LayoutProblem } from "../types.ts";
import { problemAt, type SourceFile } from "./source.ts";

/** Lines as tools that read a file line by line see them: a lone `\r` ends none. */
export function toolLines(text: string): string[] {
  return text.replace(/^\uFEFF/, "").split("\n");
}

/** A file parted by a tool's markers into forward and rollback SQL. */
export interface Parted {
  /** The file with the rollback's lines blank, so that every line keeps its number. */
  readonly forwardSql: string;
  /** null without a rollback marker. */
  readonly down: { readonly sql: string; readonly line: number } | null;
  readonly downLines: ReadonlySet<number>;
}

/** Parts a file's lines by direction; `directionOf` answers per line index, null for lines before any marker. */
export function partLines(lines: readonly string[], directions: readonly ("up" | "down" | null)[]): Parted {
  const forward = lines.map((line, index) => (directions[index] === "down" ? "" : line));
  const first = directions.indexOf("down");
  const downLines = new Set(directions.flatMap((direction, index) => (direction === "down" ? [index + 1] : [])));
  if (first === -1) return { forwardSql: lines.join("\n").trimEnd(), down: null, downLines };
  const down = lines.slice(first + 1).map((line, index) => (directions[first + 1 + index] === "down" ? line : ""));
  return { forwardSql: forward.join("\n").trimEnd(), down: { sql: down.join("\n"), line: first + 2 }, downLines };
}

/** Tools find markers by line alone: one within a string, a quoted body or a comment parts the file there all the same. */
export function markersInText(file: SourceFile, markerLines: readonly number[], tool: string): LayoutProblem[] {
  if (markerLines.length === 0) return [];
  const comments = new Set(commentLines(file.text).flatMap((one) => (one.startsLine ? [one.line] : [])));
  return markerLines
    .filter((line) => !comments.has(line))
    .map((line) =>
      problemAt(
        file,
        line,
        "bad_marker",
        `this marker stands within a string, a quoted body or a comment, and ${tool} parts the file here all the same`,
      ),
    );
}
