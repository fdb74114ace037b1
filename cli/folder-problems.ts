import type { LayoutProblem, MigrationFolder } from "../shared/migrations/types.ts";
import type { Command } from "./command.ts";
import { printable } from "./render/printable.ts";
import { hang } from "./render/wrap.ts";
import { count, mark, paint, type Terminal } from "./terminal.ts";

const mostTold = 10;

/** One problem, at its file and line. */
export function problemLines({ severity, place, message }: LayoutProblem, width: number): string[] {
  const sign = severity === "error" ? mark.no() : mark.open();
  return hang(`${sign} `, printable(`${place.file}:${place.line}: ${message}`), width);
}

/** Tells what is wrong in the migrations folder, with every command that read it and has not its own way to say so. */
export class FolderProblems {
  /** The command's terminal: its JSON document has `problems` once a folder was read. */
  readonly terminal: Terminal;
  private folder: MigrationFolder | undefined;
  private readonly shows: Command["problems"];

  constructor(terminal: Terminal, command: Pick<Command, "problems">) {
    this.shows = command.problems ?? "errors";
    this.terminal = { ...terminal, document: (value) => terminal.document(this.with(value)) };
  }

  read(folder: MigrationFolder): MigrationFolder {
    this.folder = folder;
    return folder;
  }

  /** Lines at the end of a command's own. */
  tell(): void {
    const found = this.told();
    if (found.length === 0 || this.shows === "own") return;
    this.terminal.line();
    const { directory, detection } = this.folder!;
    const read = printable(`${directory} (${detection.reason})`);
    this.terminal.line(paint("bold", `Migrations folder ${read}: ${count(found.length, "problem")}`));
    for (const problem of found.slice(0, mostTold))
      for (const line of problemLines(problem, this.terminal.width)) this.terminal.line(line);
    if (found.length > mostTold) this.terminal.line(`  and ${found.length - mostTold} more; --json has all`);
  }

  private told(): readonly LayoutProblem[] {
    const problems = this.folder?.problems ?? [];
    return this.shows === "errors" ? problems.filter((one) => one.severity === "error") : problems;
  }

  private with(value: unknown): unknown {
    const isPlain = typeof value === "object" && value !== null && !Array.isArray(value) && !("problems" in value);
    if (this.folder === undefined || !isPlain) return value;
    const { directory, layout, detection, problems } = this.folder;
    return { ...value, ...(this.shows === "all" ? { folder: { directory, layout, detection } } : {}), problems };
  }
}
