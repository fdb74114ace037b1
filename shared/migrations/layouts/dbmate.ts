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

const marker = /^--\s*migrate:(up|down)(?:\s+(\S.*))?$/;

/** Whether a line is one of dbmate's markers. */
export function isDbmateMarker(line: string): boolean {
  return marker.test(line.trimEnd());
}

/** `-- migrate:up` and `-- migrate:down` in one file, each with its options (`transaction:false`). */
export function readDbmate(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const files = folder.files.filter((file) => versionOf(file.name) !== null && file.text.includes("migrate:"));
  return { migrations: files.flatMap((file) => readFile(file, problems)), problems };
}

function readFile(file: SourceFile, problems: LayoutProblem[]): Migration[] {
  const lines = toolLines(file.text);
  const transactional = { up: true, down: true };
  const seen = { up: 0, down: 0 };
  const markers: number[] = [];
  let direction: "up" | "down" | null = null;
  let firstStatement = 0;
  const report = (line: number, message: string): void => {
    problems.push(problemAt(file, line, "bad_marker", `${file.name}: ${message}`));
  };
  const directions = lines.map((text, index) => {
    const line = index + 1;
    const [, word, options = ""] = marker.exec(text.trimEnd()) ?? [];
    if (word === undefined) {
      if (direction === null && text.trim() !== "" && !/^\s*--/.test(text)) firstStatement ||= line;
      return direction;
    }
    markers.push(line);
    const at = word as "up" | "down";
    if (seen[at] > 0)
      report(line, `a second \`migrate:${at}\`: dbmate takes it and all below it for the ${direction} part`);
    else {
      if (at === "down" && seen.up === 0) report(line, "`migrate:down` before `migrate:up`: dbmate refuses the file");
      seen[at] = line;
      direction = at;
      if (options.split(/\s+/).includes("transaction:false")) transactional[at] = false;
    }
    return direction;
  });
  if (firstStatement > 0) report(firstStatement, "SQL before `migrate:up`: dbmate refuses the file");
  problems.push(...markersInText(file, markers, "dbmate"));
  if (seen.up === 0) {
    if (seen.down === 0) report(1, "there is no `-- migrate:up`");
    return [];
  }
  const parted = partLines(lines, directions);
  const rollback = parted.down === null ? null : { file, ...parted.down };
  const { forwardSql, downLines: skipLines } = parted;
  const facts = { name: migrationName(file.name), version: versionOf(file.name)!, layout: "dbmate" as const };
  return [buildMigration({ ...facts, file, forwardSql, rollback, transactional, skipLines }, problems)];
}
