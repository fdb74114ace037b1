import { isDeepStrictEqual } from "node:util";

export const shown = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code: number, text: string) => (shown ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Columns for what commands print, within the story's indent. */
export const columns = Math.max(60, Math.min(process.stdout.columns || 100, 140)) - 3;

export class NotAsPromised extends Error {}

/** Tells the story and keeps what was seen for the report. */
export class Story {
  readonly #began = performance.now();
  readonly #seen: { chapter: string; what: string }[] = [];
  #chapter = "";
  #number = 0;

  async chapter(title: string, tell: () => Promise<void>): Promise<void> {
    this.#chapter = title;
    this.#number++;
    const began = performance.now();
    console.log(`\n${paint(1, `${this.#number}. ${title}`)}`);
    await tell();
    console.log(paint(2, `   ${((performance.now() - began) / 1000).toFixed(1)} s`));
  }

  say(text: string): void {
    for (const line of text.trimEnd().split("\n")) console.log(`   ${line}`);
  }

  /** Says a long output without its middle. */
  sayEnds(text: string, first: number, last: number): void {
    const lines = text.trimEnd().split("\n");
    const hidden = lines.length - first - last;
    const kept = [...lines.slice(0, first), `... ${hidden} lines like these`, ...lines.slice(-last)];
    this.say(hidden < 2 ? text : kept.join("\n"));
  }

  /** Notes a fact that must hold; the story ends when it does not. */
  expect<T>(what: string, actual: T, expected: T): void {
    if (!isDeepStrictEqual(actual, expected)) {
      const text = `${what}: expected ${JSON.stringify(expected)}, saw ${JSON.stringify(actual)}`;
      console.log(`   ${paint(31, "✗")} ${text}`);
      throw new NotAsPromised(text);
    }
    this.#seen.push({ chapter: this.#chapter, what });
    console.log(`   ${paint(32, "✓")} ${what}`);
  }

  /** Every fact once more, chapter by chapter, in as few lines as can be read. */
  report(): void {
    const seconds = (performance.now() - this.#began) / 1000;
    console.log(
      `\n${paint(1, "What was seen")} (${this.#seen.length} facts, all as promised, ${seconds.toFixed(0)} s)\n`,
    );
    for (const chapter of new Set(this.#seen.map((fact) => fact.chapter))) {
      const facts = this.#seen.filter((fact) => fact.chapter === chapter).map((fact) => fact.what);
      console.log(`${paint(32, "✓")} ${paint(1, chapter)}`);
      for (const line of wrap(facts.join("; "), columns)) console.log(`    ${line}`);
    }
  }
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

export const number = (value: number) => value.toLocaleString("en-US");
/** Bytes in decimal units, as the command line shows them. */
export const byteText = (bytes: number) =>
  bytes < 1_000
    ? `${bytes} B`
    : bytes < 1_000_000
      ? `${(bytes / 1_000).toFixed(1)} kB`
      : `${(bytes / 1_000_000).toFixed(1)} MB`;
