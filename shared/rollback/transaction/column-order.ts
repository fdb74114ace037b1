import type { Entry } from "../../catalog/types.ts";

/** The parts of a CREATE TABLE: what stands before the parenthesis, each column or constraint, what stands after. */
export interface TableText {
  readonly head: string;
  readonly items: readonly string[];
  readonly tail: string;
}

/** Whether two TABLE entries say the same but for the order of the columns. */
export function sameButForColumnOrder(one: Entry, other: Entry): boolean {
  if (one.kind !== "TABLE" || other.kind !== "TABLE" || one.owner !== other.owner) return false;
  const first = parseTable(one.create);
  const second = parseTable(other.create);
  if (first === null || second === null) return false;
  const items = (table: TableText) => [...table.items].sort().join("\n");
  return first.head === second.head && first.tail === second.tail && items(first) === items(second);
}

/** Cuts a CREATE TABLE text at its top-level commas; null for forms without a column list. */
export function parseTable(create: string): TableText | null {
  const open = create.indexOf(" (\n");
  if (open < 0 || !/^\s*CREATE /.test(create)) return null;
  const items: string[] = [];
  let depth = 0;
  let start = open + 2;
  for (let at = open + 2; at < create.length; at++) {
    const char = create[at]!;
    if (char === "'" || char === '"') at = endOfQuote(create, at, char);
    else if (char === "(" || char === "[") depth++;
    else if (char === "," && depth === 0) {
      items.push(create.slice(start, at).trim());
      start = at + 1;
    } else if (char === ")" || char === "]") {
      if (depth > 0) depth--;
      else {
        const last = create.slice(start, at).trim();
        return {
          head: create.slice(0, open),
          items: last === "" ? items : [...items, last],
          tail: create.slice(at + 1),
        };
      }
    }
  }
  return null;
}

/** Index of the closing quote; a doubled quote stands for itself. */
function endOfQuote(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== quote) continue;
    if (text[at + 1] !== quote) return at;
    at++;
  }
  return text.length;
}
