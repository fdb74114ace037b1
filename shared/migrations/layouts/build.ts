import { isBlankSql } from "../../sql/blank.ts";
import type { LayoutName, LayoutProblem, Migration, RollbackSql } from "../types.ts";
import { declaredDependencies } from "./depends-on.ts";
import { forwardChecksum, problemAt, type SourceFile, sha256 } from "./source.ts";

/** A place for rollback SQL, with what stands there. */
export interface FoundRollback {
  readonly file: SourceFile;
  readonly sql: string;
  /** 1-based line of `file` where `sql` begins. */
  readonly line: number;
  /** Default: the migration alone. */
  readonly reverses?: readonly string[];
  readonly selfReversing?: boolean;
}

/** What a layout reader knows of one migration. */
export interface MigrationParts {
  readonly name: string;
  readonly version: string;
  readonly layout: LayoutName;
  readonly file: SourceFile;
  readonly forwardSql: string;
  readonly rollback: FoundRollback | null;
  readonly verifySql?: string | null;
  /** false where the file says that its tool runs that part outside a transaction. */
  readonly transactional?: { readonly up?: boolean; readonly down?: boolean };
  /** Lines of `file` in which no dependency is declared. */
  readonly skipLines?: ReadonlySet<number>;
}

/** The migration as all layouts give it; a place for rollback SQL without SQL in it is reported. */
export function buildMigration(parts: MigrationParts, problems: LayoutProblem[]): Migration {
  const { name, file, forwardSql, rollback: found } = parts;
  const isEmpty = found !== null && isBlankSql(found.sql);
  if (isEmpty) problems.push(emptyRollback(found.file, found.line, found.file === file));
  return {
    name,
    version: parts.version,
    layout: parts.layout,
    file: file.path,
    forwardSql,
    rollback: found === null || isEmpty ? null : rollbackSql(found, name),
    emptyRollback: isEmpty ? { file: found.file.path, line: found.line } : null,
    transactional: { up: parts.transactional?.up ?? true, down: parts.transactional?.down ?? true },
    checksum: forwardChecksum(forwardSql),
    fileChecksum: found === null || found.file === file ? sha256(file.text) : sha256(file.text, found.file.text),
    dependsOn: declaredDependencies(file, parts.skipLines ?? new Set()),
    verifySql: parts.verifySql ?? null,
  };
}

function rollbackSql(found: FoundRollback, name: string): RollbackSql {
  return {
    sql: found.sql,
    file: found.file.path,
    line: found.line,
    reverses: found.reverses ?? [name],
    selfReversing: found.selfReversing ?? false,
  };
}

/** Rollback SQL without a statement: it counts as missing, and is a warning at its line. */
export function emptyRollback(file: SourceFile, line: number, isSection: boolean): LayoutProblem {
  const where = isSection ? `the rollback section of ${file.name}` : file.name;
  return problemAt(file, line, "empty_rollback", `${where} holds no SQL: it counts as missing`, "warning");
}
