import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";
import type { Progress } from "../shared/context.ts";
import { printable, printableLines } from "./render/printable.ts";

/** Where a command writes: results to `out`, progress and questions to `error`. */
export interface Terminal {
  readonly interactive: boolean;
  readonly json: boolean;
  /** Columns that a line may have; infinite where nobody looks, so that a line stays a line. */
  readonly width: number;
  line(text?: string): void;
  /** A line that is printed with `--json` too: help. */
  print(text: string): void;
  /** Prints one JSON document; the only thing on standard output with `--json`. */
  document(value: unknown): void;
  /** What went wrong and what to do next, on standard error. */
  error(message: string, hint: string | undefined): void;
  progress(progress: Progress): void;
  /** Ends a progress line, if one stands. */
  settle(): void;
  /** Asks on a terminal; anything but yes is no. */
  confirm(question: string): Promise<boolean>;
  ask(question: string): Promise<string>;
}

type Style = Parameters<typeof styleText>[0];

export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export const mark = {
  yes: () => paint("green", "✓"),
  no: () => paint("red", "✗"),
  open: () => paint("yellow", "·"),
};

/** `columns`: a line's width where standard output is not a terminal; without it a line stays a line. */
export function openTerminal(options: { json: boolean; columns?: number }): Terminal {
  const interactive = Boolean(process.stdin.isTTY && process.stderr.isTTY);
  const showProgress = Boolean(process.stderr.isTTY) && !options.json;
  let standing = false;
  const settle = () => {
    if (standing) process.stderr.write("\r\x1b[2K");
    standing = false;
  };
  const prompt = async (question: string) => {
    settle();
    const readline = createInterface({ input: process.stdin, output: process.stderr });
    // The end of input (Ctrl-D, a closed pipe) is no answer, and no answer is no.
    const ended = new Promise<string>((resolve) => readline.once("close", () => resolve("")));
    try {
      return (await Promise.race([readline.question(question), ended])).trim();
    } finally {
      readline.close();
    }
  };
  return {
    interactive,
    json: options.json,
    width: process.stdout.isTTY ? process.stdout.columns || 80 : options.columns || Number.POSITIVE_INFINITY,
    line: (text = "") => {
      settle();
      if (!options.json) process.stdout.write(`${text}\n`);
    },
    print: (text) => {
      process.stdout.write(`${text}\n`);
    },
    document: (value) => {
      process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    error: (message, hint) => {
      settle();
      const indented = (text: string) => printableLines(text).replaceAll("\n", "\n  ");
      process.stderr.write(`${styleText("red", "error", { stream: process.stderr })} ${indented(message)}\n`);
      if (hint !== undefined) process.stderr.write(`→ ${indented(hint)}\n`);
    },
    progress: (progress) => {
      if (!showProgress) return;
      const share = progress.total ? ` ${progress.done ?? 0}/${progress.total} ${progress.unit ?? ""}` : "";
      const width = (process.stderr.columns ?? 80) - 1;
      process.stderr.write(`\r\x1b[2K${printable(`${progress.phase}: ${progress.message}${share}`).slice(0, width)}`);
      standing = true;
    },
    settle,
    confirm: async (question) => /^y(es)?$/i.test(await prompt(`${question} [y/N] `)),
    ask: (question) => prompt(`${question} `),
  };
}

/** Bytes as a person reads them: 1.4 MB (powers of ten). */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-US")} ${value === 1 ? one : many}`;
}

/** An ISO time without fractions, in UTC. */
export function moment(iso: string | null): string {
  return iso === null
    ? "-"
    : new Date(iso)
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z");
}
