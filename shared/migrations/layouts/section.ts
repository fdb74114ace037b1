import { isBlankSql } from "../../sql/blank.ts";
import type { LayoutName, LayoutProblem, Migration, RollbackSql } from "../types.ts";
import { declaredDependencies } from "./depends-on.ts";
import { reversals } from "./rollbacks-folder.ts";
import { splitSections } from "./sections.ts";
import {
  forwardChecksum,
  type LayoutReading,
  noVersion,
  type SourceFile,
  type SourceFolder,
  sha256,
  versionOf,
} from "./source.ts";

/** Belay's own migration is never in its own ledger. */
const installsBelay = /^\s*create\s+schema\s+(if\s+not\s+exists\s+)?belay\s*;/im;

/**
 * `20250120_x.sql` with `-- ROLLBACK START` ... `-- ROLLBACK END` in the file, or with a file of the rollbacks folder
 * whose header names it; a section of its own goes before a file that reverses several.
 */
export function readSectionLayout(folder: SourceFolder, layout: LayoutName): LayoutReading {
  const problems: LayoutProblem[] = [];
  const forward = folder.files.filter((file) => isForward(file, problems));
  const names = forward.map((file) => migrationName(file.name));
  const reversed = reversals(folder.rollbacks, names);
  problems.push(...reversed.problems);
  const migrations = forward.map((file) => readFile(file, layout, reversed.byMigration, problems));
  return { migrations, problems };
}

function isForward(file: SourceFile, problems: LayoutProblem[]): boolean {
  if (installsBelay.test(file.text)) return false;
  if (versionOf(file.name) !== null) return true;
  problems.push(noVersion(file));
  return false;
}

function readFile(
  file: SourceFile,
  layout: LayoutName,
  byMigration: ReadonlyMap<string, RollbackSql & { readonly text: string }>,
  problems: LayoutProblem[],
): Migration {
  const name = migrationName(file.name);
  const split = splitSections(file);
  problems.push(...split.problems);
  const own: RollbackSql | null =
    split.rollback === null
      ? null
      : {
          sql: split.rollback.sql,
          file: file.path,
          line: split.rollback.line,
          reverses: [name],
          selfReversing: split.rollback.live,
        };
  if (own?.selfReversing === true) problems.push(selfReversing(file, own.line));
  if (own !== null && isBlankSql(own.sql)) problems.push(emptyRollback(file, own.line));
  const usable = own !== null && !isBlankSql(own.sql) ? own : null;
  const apart = usable === null ? byMigration.get(name) : undefined;
  return {
    name,
    version: versionOf(file.name)!,
    layout:
      apart === undefined
        ? layout === "rollbacks-folder" && usable === null
          ? layout
          : "section"
        : "rollbacks-folder",
    file: file.path,
    forwardSql: split.forwardSql,
    rollback: usable ?? (apart === undefined ? null : withoutText(apart)),
    checksum: forwardChecksum(split.forwardSql),
    fileChecksum: apart === undefined ? sha256(file.text) : sha256(file.text, apart.text),
    dependsOn: declaredDependencies(file, split.sectionLines),
    verifySql: split.verify === null || isBlankSql(split.verify.sql) ? null : split.verify.sql,
  };
}

function withoutText({ text: _, ...rollback }: RollbackSql & { readonly text: string }): RollbackSql {
  return rollback;
}

function selfReversing(file: SourceFile, line: number): LayoutProblem {
  return {
    code: "self_reversing",
    severity: "error",
    message: `the rollback section of ${file.name} is not commented out: a tool that runs the file creates and drops at once. Put "-- " before each of its lines`,
    place: { file: file.path, line },
  };
}

function emptyRollback(file: SourceFile, line: number): LayoutProblem {
  return {
    code: "empty_rollback",
    severity: "warning",
    message: `the rollback section of ${file.name} holds no SQL: it counts as missing`,
    place: { file: file.path, line },
  };
}

export function migrationName(fileName: string): string {
  return fileName.replace(/\.sql$/i, "");
}
