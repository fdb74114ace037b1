import { paint } from "../terminal.ts";

/** Lines that differ between two texts, with a few around them; `-` was there, `+` comes. */
export function diffLines(old: string, next: string, around = 2): string[] {
  const [a, b] = [linesOf(old), linesOf(next)];
  const marked = compare(a, b);
  const near = new Set<number>();
  marked.forEach(({ sign }, index) => {
    if (sign !== " ") for (let at = index - around; at <= index + around; at++) near.add(at);
  });
  return marked.flatMap(({ sign, text }, index) => {
    if (!near.has(index)) return near.has(index - 1) ? ["  ..."] : [];
    const line = `${sign} ${text}`;
    return [sign === " " ? line : paint(sign === "-" ? "red" : "green", line)];
  });
}

interface Marked {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

// What is equal at both ends is most of a migration's file: only the middle is compared line by line.
function compare(a: readonly string[], b: readonly string[]): Marked[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const keep = (text: string): Marked => ({ sign: " ", text });
  return [
    ...a.slice(0, start).map(keep),
    ...a.slice(start, a.length - end).map((text): Marked => ({ sign: "-", text })),
    ...b.slice(start, b.length - end).map((text): Marked => ({ sign: "+", text })),
    ...a.slice(a.length - end).map(keep),
  ];
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}
