/** A line with what ends it: `\r\n`, `\n`, a lone `\r`, or nothing at the end of the text. */
export interface RawLine {
  readonly text: string;
  readonly end: string;
}

/** Lines as Postgres' scanner ends them; the texts and ends together are the whole text again. */
export function rawLines(text: string): RawLine[] {
  const lines: RawLine[] = [];
  const breaks = /\r\n|\n|\r/g;
  let from = 0;
  for (let found = breaks.exec(text); found !== null; found = breaks.exec(text)) {
    lines.push({ text: text.slice(from, found.index), end: found[0] });
    from = breaks.lastIndex;
  }
  lines.push({ text: text.slice(from), end: "" });
  return lines;
}

/** Whether the character at an offset ends a line; the `\r` of `\r\n` does not. */
export function endsLine(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 10 || (code === 13 && text.charCodeAt(at + 1) !== 10);
}
