import { rawLines } from "../../sql/lines.ts";
import { liveRollbackLines, splitSections } from "../layouts/sections.ts";
import type { SourceFile } from "../layouts/source.ts";

/** A file with its live rollback sections commented out. */
export interface CommentedOut {
  readonly text: string;
  readonly changes: readonly { readonly line: number; readonly before: string; readonly after: string }[];
}

/**
 * Puts `-- ` before each line of the live rollback sections of a file; line endings and all else stay. null when none is
 * live, or when the file would not read the same afterwards.
 */
export function commentOut(file: SourceFile): CommentedOut | null {
  const live = new Set(liveRollbackLines(file));
  if (live.size === 0) return null;
  const changes: { line: number; before: string; after: string }[] = [];
  const text = rawLines(file.text)
    .map(({ text: before, end }, index) => {
      if (!live.has(index + 1)) return before + end;
      const after = before === "" ? "--" : `-- ${before}`;
      changes.push({ line: index + 1, before, after });
      return after + end;
    })
    .join("");
  return readsTheSame(file, text) ? { text, changes } : null;
}

function readsTheSame(file: SourceFile, text: string): boolean {
  const [was, is] = [splitSections(file), splitSections({ ...file, text })];
  return (
    is.rollback?.live === false &&
    is.rollback.sql === was.rollback?.sql &&
    is.forwardSql === was.forwardSql &&
    is.verify?.sql === was.verify?.sql &&
    is.problems.length === was.problems.length
  );
}
