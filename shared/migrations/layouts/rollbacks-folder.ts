import { isBlankSql, skipBlank } from "../../sql/blank.ts";
import { commentLines } from "../../sql/comments.ts";
import type { LayoutProblem, RollbackSql } from "../types.ts";
import { type SourceFile, versionOf } from "./source.ts";

/** Rollback SQL of a file that stands apart, with the file's text for the checksum. */
export type ApartRollback = RollbackSql & { readonly text: string };

/** What the files of a rollbacks folder reverse, by migration name. A file of one migration goes before one of several. */
export function reversals(
  files: readonly SourceFile[],
  names: readonly string[],
): { byMigration: ReadonlyMap<string, ApartRollback>; problems: readonly LayoutProblem[] } {
  const problems: LayoutProblem[] = [];
  const byMigration = new Map<string, ApartRollback>();
  for (const file of files) {
    const reverses = reversedBy(file, names, problems);
    if (reverses.length === 0) continue;
    if (isBlankSql(file.text)) {
      problems.push(problem("empty_rollback", "warning", file, 1, `${file.name} holds no SQL: it counts as missing`));
      continue;
    }
    for (const name of reverses) {
      const other = byMigration.get(name);
      if (other !== undefined && other.reverses.length === reverses.length)
        problems.push(
          problem("duplicate_version", "error", file, 1, `${file.name} reverses ${name}, as ${other.file} does`),
        );
      if (other === undefined || other.reverses.length > reverses.length)
        byMigration.set(name, {
          sql: file.text,
          file: file.path,
          line: 1,
          reverses,
          selfReversing: false,
          text: file.text,
        });
    }
  }
  return { byMigration, problems };
}

/** Migrations that a file's header names, else the one that has the file's own name. */
function reversedBy(file: SourceFile, names: readonly string[], problems: LayoutProblem[]): readonly string[] {
  const found = new Set<string>();
  const own = file.name.replace(/\.sql$/i, "");
  const headerEnd = skipBlank(file.text, 0);
  for (const comment of commentLines(file.text.slice(0, headerEnd))) {
    for (const [word] of comment.text.matchAll(/[\p{L}\p{N}_.-]+/gu)) {
      const plain = word.replace(/[.]+$/, "").replace(/\.sql$/i, "");
      const name = names.find((candidate) => candidate === plain) ?? byVersion(plain, names);
      if (name !== undefined) found.add(name);
      else if (/\.sql$/i.test(word) && plain !== own && versionOf(plain) !== null)
        problems.push(
          problem(
            "unknown_dependency",
            "error",
            file,
            comment.line,
            `${file.name} reverses ${plain}, which is not in the folder`,
          ),
        );
    }
  }
  if (found.size > 0) return [...found];
  const same = own.replace(/^rollback_/, "");
  if (names.includes(same)) return [same];
  problems.push(
    problem(
      "unreadable",
      "warning",
      file,
      1,
      `the header of ${file.name} names no migration of the folder: write \`-- Reverses: NAME.sql\``,
    ),
  );
  return [];
}

// A bare number in prose is not a version: only timestamps are taken without a name.
function byVersion(word: string, names: readonly string[]): string | undefined {
  if (!/^\d{8,}$/.test(word)) return undefined;
  const found = names.filter((name) => versionOf(name) === word);
  return found.length === 1 ? found[0] : undefined;
}

function problem(
  code: LayoutProblem["code"],
  severity: LayoutProblem["severity"],
  file: SourceFile,
  line: number,
  message: string,
): LayoutProblem {
  return { code, severity, message, place: { file: file.path, line } };
}
