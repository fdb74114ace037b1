import { MarkerWalk, readMarkedFiles } from "./marked-file.ts";
import type { LayoutReading, SourceFolder } from "./source.ts";

const marker = /^--\s*migrate:(up|down)(?:\s+(\S.*))?$/;

/** Whether a line is one of dbmate's markers. */
export function isDbmateMarker(line: string): boolean {
  return marker.test(line.trimEnd());
}

/** `-- migrate:up` and `-- migrate:down` in one file, each with its options (`transaction:false`). */
export function readDbmate(folder: SourceFolder): LayoutReading {
  return readMarkedFiles(folder, "dbmate", /migrate:/, (file, problems) => new DbmateWalk(file, problems));
}

class DbmateWalk extends MarkerWalk {
  private firstStatement = 0;

  protected see(text: string, line: number): void {
    const [, word, options = ""] = marker.exec(text) ?? [];
    if (word !== undefined) this.mark(word as "up" | "down", options, line);
    else if (this.direction === null && text.trim() !== "" && !/^\s*--/.test(text)) this.firstStatement ||= line;
  }

  end(): void {
    if (this.firstStatement > 0) this.report(this.firstStatement, "SQL before `migrate:up`: dbmate refuses the file");
    if (this.markers.length === 0) this.report(1, "there is no `-- migrate:up`");
  }

  private mark(word: "up" | "down", options: string, line: number): void {
    this.markers.push(line);
    if (this.first[word] > 0) {
      this.report(
        line,
        `a second \`migrate:${word}\`: dbmate takes it and all below it for the ${this.direction} part`,
      );
      return;
    }
    if (word === "down" && !this.hasUp)
      this.report(line, "`migrate:down` before `migrate:up`: dbmate refuses the file");
    this.first[word] = line;
    this.direction = word;
    if (options.split(/\s+/).includes("transaction:false")) this.transactional[word] = false;
  }
}
