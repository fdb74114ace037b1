import { isDeepStrictEqual } from "node:util";

export const shown = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const paint = (code: number, text: string) => (shown ? `\u001b[${code}m${text}\u001b[0m` : text);

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

  report(): void {
    const seconds = (performance.now() - this.#began) / 1000;
    console.log(
      `\n${paint(1, "What was seen")} (${this.#seen.length} facts, all as promised, ${seconds.toFixed(0)} s)`,
    );
    let chapter = "";
    for (const fact of this.#seen) {
      if (fact.chapter !== chapter) console.log(`\n   ${paint(1, fact.chapter)}`);
      chapter = fact.chapter;
      console.log(`   ${paint(32, "✓")} ${fact.what}`);
    }
  }
}

export const number = (value: number) => value.toLocaleString("en-US");
/** Bytes in decimal units, as the command line shows them. */
export const byteText = (bytes: number) =>
  bytes < 1_000
    ? `${bytes} B`
    : bytes < 1_000_000
      ? `${(bytes / 1_000).toFixed(1)} kB`
      : `${(bytes / 1_000_000).toFixed(1)} MB`;
