import { stripVTControlCharacters } from "node:util";
import { paint } from "../terminal.ts";

/** Columns that a text takes on a terminal, colours left out. */
export const visible = (text: string): number => stripVTControlCharacters(text).length;

/** Columns below which text is not squeezed into what is left of a line. */
const narrowest = 28;

/**
 * `prefix` and `text`, wrapped at words to `width` columns, later lines in the column where the text began.
 * Lines of the text that begin with a space, and the line before such a line, keep their form: code with its caret.
 */
export function hang(prefix: string, text: string, width: number): string[] {
  const column = visible(prefix);
  const fits = width - column >= narrowest;
  const indent = fits ? column : Math.min(column, 6);
  const lines = text.split("\n");
  const wrapped = lines.flatMap((line, index) => {
    const code = line.startsWith(" ") || (index > 0 && lines[index + 1]?.startsWith(" ") === true);
    return code ? [line] : wrapWords(line, width - indent);
  });
  const [first = "", ...rest] = fits ? wrapped : [undefined, ...wrapped];
  return [`${prefix}${first}`.trimEnd(), ...rest.map((line) => `${" ".repeat(indent)}${line}`)];
}

function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && visible(line) + 1 + visible(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * Columns padded to their widest cell; where that is wider than the terminal, the last column goes below each row, and
 * where that is not enough, the first stands above the others.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => visible(row[column] ?? ""))),
  );
  const total = widths.reduce((sum, one) => sum + one + 2, -2);
  const last = header.length - 1;
  const room = width - (total - widths[last]!);
  const pad = (cell: string, column: number) => cell + " ".repeat(Math.max(0, widths[column]! - visible(cell)));
  const layOut = (cells: readonly string[]) => cells.map(pad).join("  ").trimEnd();
  if (total <= width) return [paint("dim", layOut(header)), ...rows.map(layOut)];
  if (room >= narrowest)
    return [
      paint("dim", layOut(header)),
      ...rows.flatMap((row) => hang(`${row.slice(0, last).map(pad).join("  ")}  `, row[last] ?? "", width)),
    ];
  const below = (cell: string) => (cell === "" || cell === "-" ? [] : hang("    ", cell, width));
  const stacked = total - widths[last]! - 2 > width;
  const first = (row: readonly string[]) => {
    if (!stacked) return [layOut(row.slice(0, last))];
    const beside = row.slice(1, last).map((cell, index) => pad(cell, index + 1));
    return [row[0] ?? "", `  ${beside.join("  ")}`.trimEnd()];
  };
  return [
    ...first(header).map((line) => paint("dim", line)),
    ...rows.flatMap((row) => [...first(row), ...below(row[last] ?? "")]),
  ];
}
