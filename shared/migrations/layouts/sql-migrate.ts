import type { LayoutProblem, Migration } from "../types.ts";
import { buildMigration } from "./build.ts";
import { markersInText, partLines, toolLines } from "./markers.ts";
import {
  type LayoutReading,
  migrationName,
  problemAt,
  type SourceFile,
  type SourceFolder,
  versionOf,
} from "./source.ts";

// sql-migrate takes exactly this beginning; a close miss is a plain comment for it.
const marker = /^-- \+migrate (\S+)(.*)$/;
const nearMiss = /^\s*--+\s*\+migrate\b/i;

/** Whether a line is one of sql-migrate's direction markers. */
export function isSqlMigrateMarker(line: string): boolean {
  return /^-- \+migrate (Up|Down)\b/.test(line);
}

/** `-- +migrate Up` and `-- +migrate Down` in one file; parts of one direction are joined, as the tool joins them. */
export function readSqlMigrate(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const files = folder.files.filter((file) => versionOf(file.name) !== null && /\+migrate/i.test(file.text));
  return { migrations: files.flatMap((file) => readFile(file, problems)), problems };
}

function readFile(file: SourceFile, problems: LayoutProblem[]): Migration[] {
  const lines = toolLines(file.text);
  const transactional = { up: true, down: true };
  const seen = { up: 0, down: 0 };
  const markers: number[] = [];
  let direction: "up" | "down" | null = null;
  let begun = 0;
  const report = (line: number, message: string, severity: "error" | "warning" = "error"): void => {
    problems.push(problemAt(file, line, "bad_marker", `${file.name}: ${message}`, severity));
  };
  const directions = lines.map((text, index) => {
    const line = index + 1;
    const [, word, options = ""] = marker.exec(text.trimEnd()) ?? [];
    if (word === undefined) {
      if (nearMiss.test(text))
        report(line, "sql-migrate takes this line for a comment: write `-- +migrate Up` or Down");
      return direction;
    }
    markers.push(line);
    if (word === "Up" || word === "Down") {
      direction = word === "Up" ? "up" : "down";
      if (seen[direction] > 0) report(line, `${word} stands in line ${seen[direction]} too; both are run`, "warning");
      seen[direction] ||= line;
      if (options.trim().split(/\s+/).includes("notransaction")) transactional[direction] = false;
    } else if (word === "StatementBegin") begun = line;
    else if (word === "StatementEnd") {
      if (begun === 0) report(line, "StatementEnd without StatementBegin");
      begun = 0;
    } else report(line, `sql-migrate knows no \`${word}\``);
    return direction;
  });
  if (begun > 0) report(begun, "StatementBegin without StatementEnd");
  problems.push(...markersInText(file, markers, "sql-migrate"));
  if (seen.up === 0) {
    report(seen.down || 1, seen.down > 0 ? "Down without Up" : "there is no `-- +migrate Up`");
    return [];
  }
  if (seen.down > 0 && seen.down < seen.up) report(seen.down, "Down stands before Up", "warning");
  const parted = partLines(lines, directions);
  const rollback = parted.down === null ? null : { file, ...parted.down };
  const { forwardSql, downLines: skipLines } = parted;
  const facts = { name: migrationName(file.name), version: versionOf(file.name)!, layout: "sql-migrate" as const };
  return [buildMigration({ ...facts, file, forwardSql, rollback, transactional, skipLines }, problems)];
}
