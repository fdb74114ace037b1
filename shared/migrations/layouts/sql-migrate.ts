import { type Direction, MarkerWalk, readMarkedFiles } from "./marked-file.ts";
import type { LayoutReading, SourceFolder } from "./source.ts";

// sql-migrate takes exactly this beginning; a close miss is a plain comment for it.
const marker = /^-- \+migrate (\S+)(.*)$/;
const nearMiss = /^\s*--+\s*\+migrate\b/i;
const directions: Readonly<Record<string, Direction>> = { Up: "up", Down: "down" };

/** Whether a line is one of sql-migrate's direction markers. */
export function isSqlMigrateMarker(line: string): boolean {
  return /^-- \+migrate (Up|Down)\b/.test(line);
}

/** `-- +migrate Up` and `-- +migrate Down` in one file; parts of one direction are joined, as the tool joins them. */
export function readSqlMigrate(folder: SourceFolder): LayoutReading {
  return readMarkedFiles(folder, "sql-migrate", /\+migrate/i, (file, problems) => new SqlMigrateWalk(file, problems));
}

class SqlMigrateWalk extends MarkerWalk {
  private begun = 0;

  protected see(text: string, line: number): void {
    const [, word, options = ""] = marker.exec(text) ?? [];
    if (word !== undefined) this.mark(word, options, line);
    else if (nearMiss.test(text))
      this.report(line, "sql-migrate takes this line for a comment: write `-- +migrate Up` or Down");
  }

  end(): void {
    const { up, down } = this.first;
    if (this.begun > 0) this.report(this.begun, "StatementBegin without StatementEnd");
    if (up === 0) this.report(down || 1, down > 0 ? "Down without Up" : "there is no `-- +migrate Up`");
    else if (down > 0 && down < up) this.report(down, "Down stands before Up", "warning");
  }

  private mark(word: string, options: string, line: number): void {
    this.markers.push(line);
    const direction = Object.hasOwn(directions, word) ? directions[word]! : null;
    if (direction !== null) this.turn(direction, word, options, line);
    else if (word === "StatementBegin") this.begun = line;
    else if (word === "StatementEnd") {
      if (this.begun === 0) this.report(line, "StatementEnd without StatementBegin");
      this.begun = 0;
    } else this.report(line, `sql-migrate knows no \`${word}\``);
  }

  private turn(direction: Direction, word: string, options: string, line: number): void {
    const before = this.first[direction];
    if (before > 0) this.report(line, `${word} stands in line ${before} too; both are run`, "warning");
    this.first[direction] ||= line;
    this.direction = direction;
    if (options.trim().split(/\s+/).includes("notransaction")) this.transactional[direction] = false;
  }
}
