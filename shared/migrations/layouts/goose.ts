import { MarkerWalk, readMarkedFiles } from "./marked-file.ts";
import { type LayoutReading, problemAt, type SourceFolder } from "./source.ts";

const marker = /^--\s*\+goose\s+(\S.*)$/;
const known = ["Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION"];

/** Whether a line is one of goose's direction markers. */
export function isGooseMarker(line: string): boolean {
  return /^--\s*\+goose\s+(Up|Down)\s*$/.test(line);
}

/** `-- +goose Up` and `-- +goose Down` in one file, found by line as goose's own parser finds them. */
export function readGoose(folder: SourceFolder): LayoutReading {
  return readMarkedFiles(folder, "goose", /\+goose/, (file, problems) => new GooseWalk(file, problems));
}

/** goose's states; what goose refuses is an error here. */
class GooseWalk extends MarkerWalk {
  private begun = 0;

  protected see(text: string, line: number): void {
    const word = marker.exec(text)?.[1];
    if (word === undefined) return;
    this.markers.push(line);
    if (word === "Up") this.up(line);
    else if (word === "Down") this.down(line);
    else if (word === "StatementBegin") this.begin(line);
    else if (word === "StatementEnd") {
      if (this.begun === 0) this.report(line, "StatementEnd without StatementBegin");
      this.begun = 0;
    } else if (word === "NO TRANSACTION") Object.assign(this.transactional, { up: false, down: false });
    else if (/^ENVSUB(ST)? ON$/.test(word)) this.substitutes(line);
    else if (!/^ENVSUB(ST)? OFF$/.test(word))
      this.report(line, `goose knows no \`${word}\`; it knows ${known.join(", ")}`);
  }

  end(): void {
    if (this.begun > 0) this.report(this.begun, "StatementBegin without StatementEnd");
    if (this.direction === null) this.report(1, "there is no `-- +goose Up`");
  }

  private up(line: number): void {
    if (this.direction !== null) this.report(line, "a second `-- +goose Up`: goose refuses the file");
    else [this.direction, this.first.up] = ["up", line];
  }

  private down(line: number): void {
    if (this.direction === null) this.report(line, "`-- +goose Down` before Up");
    else if (this.direction === "down") this.report(line, "a second `-- +goose Down`");
    this.direction = "down";
  }

  private begin(line: number): void {
    if (this.begun > 0 || this.direction === null) this.report(line, "StatementBegin out of order");
    this.begun = line;
  }

  private substitutes(line: number): void {
    const message = `goose puts environment variables into ${this.file.name}; Belay reads the text as it stands`;
    this.problems.push(problemAt(this.file, line, "not_supported", message));
  }
}
