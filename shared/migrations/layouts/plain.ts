import { isBlankSql } from "../../sql/blank.ts";
import type { LayoutProblem, Migration } from "../types.ts";
import { buildMigration, emptyRollback } from "./build.ts";
import { installsBelay, type PlainLayout, rollbackFolders, rollbackPrefix } from "./plain-names.ts";
import { type Reversal, reversals } from "./reversals.ts";
import { splitSections } from "./sections.ts";
import { signOfFile } from "./signs.ts";
import {
  type LayoutReading,
  migrationName,
  problemAt,
  type SourceFile,
  type SourceFolder,
  versionOf,
} from "./source.ts";
import { downFile } from "./up-down-pair.ts";

/**
 * `20250120_x.sql` with `-- ROLLBACK START` ... `-- ROLLBACK END` in it, or with a file beside it (`rollback_...`,
 * `.down.sql`), or in a rollbacks folder. A section of its own goes before a file apart.
 */
export function readPlain(folder: SourceFolder, layout: PlainLayout): LayoutReading {
  const problems: LayoutProblem[] = [];
  const forward = folder.files.filter(
    (file) => !installsBelay(file) && signOfFile(file).layout === "plain" && !isRollback(file),
  );
  const apart = folder.folders.filter((one) => rollbackFolders.includes(one.name)).flatMap((one) => one.files);
  const beside = folder.files.filter(isRollback);
  const reversed = reversals({ apart, beside }, forward);
  problems.push(...reversed.problems);
  const migrations = forward.map((file) => readFile(file, layout, reversed.byMigration, problems));
  return { migrations, problems };
}

function isRollback(file: SourceFile): boolean {
  return rollbackPrefix.test(file.name) || downFile.test(file.name);
}

function readFile(
  file: SourceFile,
  layout: PlainLayout,
  byMigration: ReadonlyMap<string, Reversal>,
  problems: LayoutProblem[],
): Migration {
  const name = migrationName(file.name);
  const split = splitSections(file);
  problems.push(...split.problems);
  const own = split.rollback;
  if (own?.live === true) problems.push(selfReversing(file, own.line));
  const apart = byMigration.get(name);
  const hasOwn = own !== null && !isBlankSql(own.sql);
  if (hasOwn && apart?.reverses.length === 1) problems.push(twice(file, apart));
  if (!hasOwn && own !== null && apart !== undefined) problems.push(emptyRollback(file, own.line, true));
  const takesOwn = own !== null && (hasOwn || apart === undefined);
  return buildMigration(
    {
      name,
      version: versionOf(file.name)!,
      layout: takesOwn ? "section" : (apart?.layout ?? layout),
      file,
      forwardSql: split.forwardSql,
      rollback: takesOwn
        ? { file, sql: own.sql, line: own.line, selfReversing: own.live }
        : apart === undefined
          ? null
          : { file: apart.file, sql: apart.file.text, line: 1, reverses: apart.reverses },
      verifySql: split.verify === null || isBlankSql(split.verify.sql) ? null : split.verify.sql,
      skipLines: split.sectionLines,
    },
    problems,
  );
}

function selfReversing(file: SourceFile, line: number): LayoutProblem {
  const message = `the rollback section of ${file.name} is not commented out: a tool that runs the file creates and drops at once. \`belay fix --apply\` puts "-- " before each of its lines`;
  return problemAt(file, line, "self_reversing", message);
}

function twice(file: SourceFile, apart: Reversal): LayoutProblem {
  const message = `${apart.file.name} reverses ${file.name}, which has a rollback section: the section counts`;
  return problemAt(apart.file, 1, "duplicate_rollback", message, "warning");
}
