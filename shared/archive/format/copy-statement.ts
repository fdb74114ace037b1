const identifier = '(?:"(?:[^"]|"")*"|[^\\s"(),.;]+)';
const statement = new RegExp(
  `^COPY ${identifier}(?:\\.${identifier})? *(\\((${identifier}(?:, ?${identifier})*)\\))? *FROM stdin;?\\s*$`,
  "i",
);

/**
 * How many columns a statement as pg_dump writes it, `COPY s.t (a, b) FROM stdin;`, names; "none" when it names none,
 * as for a table without columns; null for any other statement.
 */
export function copyColumnCount(copyStmt: string): number | "none" | null {
  const found = statement.exec(copyStmt);
  if (found === null) return null;
  return found[2] === undefined ? "none" : [...found[2].matchAll(new RegExp(identifier, "g"))].length;
}
