import type { LayoutName, LayoutProblem, Migration } from "../types.ts";
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

export type Direction = "up" | "down";

/** One tool's way through a file, line by line. */
export abstract class MarkerWalk {
  readonly transactional = { up: true, down: true };
  /** Lines of all markers seen. */
  readonly markers: number[] = [];
  protected direction: Direction | null = null;
  /** Line of the first marker of each direction; 0 without one. */
  protected readonly first = { up: 0, down: 0 };
  protected readonly file: SourceFile;
  protected readonly problems: LayoutProblem[];

  constructor(file: SourceFile, problems: LayoutProblem[]) {
    this.file = file;
    this.problems = problems;
  }

  /** The direction to which a line belongs, its own marker taken into account. */
  line(text: string, line: number): Direction | null {
    this.see(text, line);
    return this.direction;
  }

  get hasUp(): boolean {
    return this.first.up > 0;
  }

  protected abstract see(text: string, line: number): void;
  /** After the last line: what was left open, or is not there. */
  abstract end(): void;

  /** What the tool refuses, or does not do as it seems. */
  protected report(line: number, message: string, severity: LayoutProblem["severity"] = "error"): void {
    this.problems.push(problemAt(this.file, line, "bad_marker", `${this.file.name}: ${message}`, severity));
  }
}

/** Migrations whose forward and rollback SQL are in one file, parted by a tool's markers. */
export function readMarkedFiles(
  folder: SourceFolder,
  layout: LayoutName,
  word: RegExp,
  walkOf: (file: SourceFile, problems: LayoutProblem[]) => MarkerWalk,
): LayoutReading {
  const problems: LayoutProblem[] = [];
  const files = folder.files.filter((file) => versionOf(file.name) !== null && word.test(file.text));
  const migrations = files.flatMap((file): Migration[] => {
    const walk = walkOf(file, problems);
    const lines = toolLines(file.text);
    const directions = lines.map((line, index) => walk.line(line.trimEnd(), index + 1));
    walk.end();
    problems.push(...markersInText(file, walk.markers, layout));
    return walk.hasUp ? [marked(file, layout, lines, directions, walk, problems)] : [];
  });
  return { migrations, problems };
}

function marked(
  file: SourceFile,
  layout: LayoutName,
  lines: readonly string[],
  directions: readonly (Direction | null)[],
  { transactional }: MarkerWalk,
  problems: LayoutProblem[],
): Migration {
  const { forwardSql, down, downLines: skipLines } = partLines(lines, directions);
  const [name, version] = [migrationName(file.name), versionOf(file.name)!];
  const rollback = down === null ? null : { file, ...down };
  return buildMigration({ name, version, layout, file, forwardSql, rollback, transactional, skipLines }, problems);
}
