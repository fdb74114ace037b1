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

const marker = /^--\s*\+goose\s+(\S.*)$/;
const known = ["Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION"];

/** Whether a line is one of goose's markers. */
export function isGooseMarker(line: string): boolean {
  return /^--\s*\+goose\s+(Up|Down)\s*$/.test(line);
}

/** `-- +goose Up` and `-- +goose Down` in one file, found by line as goose's own parser finds them. */
export function readGoose(folder: SourceFolder): LayoutReading {
  const problems: LayoutProblem[] = [];
  const files = folder.files.filter((file) => versionOf(file.name) !== null && file.text.includes("+goose"));
  return { migrations: files.flatMap((file) => readFile(file, problems)), problems };
}

function readFile(file: SourceFile, problems: LayoutProblem[]): Migration[] {
  const lines = toolLines(file.text);
  const seen = new Walk(file, problems);
  const directions = lines.map((line, index) => seen.line(line.trimEnd(), index + 1));
  seen.end(lines.length);
  problems.push(...markersInText(file, seen.markers, "goose"));
  if (!seen.hasUp) return [];
  const parted = partLines(lines, directions);
  return [
    buildMigration(
      {
        name: migrationName(file.name),
        version: versionOf(file.name)!,
        layout: "goose",
        file,
        forwardSql: parted.forwardSql,
        rollback: parted.down === null ? null : { file, ...parted.down },
        transactional: { up: seen.transactional, down: seen.transactional },
        skipLines: parted.downLines,
      },
      problems,
    ),
  ];
}

/** goose's states, line by line; what goose refuses is an error here. */
class Walk {
  readonly markers: number[] = [];
  transactional = true;
  private direction: "up" | "down" | null = null;
  private upLine = 0;
  private begun = 0;
  private readonly file: SourceFile;
  private readonly problems: LayoutProblem[];

  constructor(file: SourceFile, problems: LayoutProblem[]) {
    this.file = file;
    this.problems = problems;
  }

  get hasUp(): boolean {
    return this.upLine > 0;
  }

  line(text: string, line: number): "up" | "down" | null {
    const word = marker.exec(text)?.[1];
    if (word !== undefined) this.mark(word, line);
    return this.direction;
  }

  end(lines: number): void {
    if (this.begun > 0) this.refuse(this.begun, "StatementBegin without StatementEnd");
    if (this.direction === null) this.refuse(Math.min(1, lines), "there is no `-- +goose Up`");
  }

  private mark(word: string, line: number): void {
    this.markers.push(line);
    if (word === "Up") {
      if (this.direction !== null) this.refuse(line, "a second `-- +goose Up`: goose refuses the file");
      else [this.direction, this.upLine] = ["up", line];
    } else if (word === "Down") {
      if (this.direction !== "up")
        this.refuse(line, this.direction === null ? "`-- +goose Down` before Up" : "a second `-- +goose Down`");
      this.direction = "down";
    } else if (word === "StatementBegin") {
      if (this.begun > 0 || this.direction === null) this.refuse(line, "StatementBegin out of order");
      this.begun = line;
    } else if (word === "StatementEnd") {
      if (this.begun === 0) this.refuse(line, "StatementEnd without StatementBegin");
      this.begun = 0;
    } else if (word === "NO TRANSACTION") this.transactional = false;
    else if (/^ENVSUB(ST)? (ON|OFF)$/.test(word)) this.substitutes(word, line);
    else this.refuse(line, `goose knows no \`${word}\`; it knows ${known.join(", ")}`);
  }

  private substitutes(word: string, line: number): void {
    if (word.endsWith("OFF")) return;
    const message = `goose puts environment variables into ${this.file.name}; Belay reads the text as it stands`;
    this.problems.push(problemAt(this.file, line, "not_supported", message));
  }

  private refuse(line: number, message: string): void {
    this.problems.push(problemAt(this.file, line, "bad_marker", `${this.file.name}: ${message}`));
  }
}
