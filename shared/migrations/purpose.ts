import { skipBlank } from "../sql/blank.ts";
import { commentLines } from "../sql/comments.ts";
import { shorten } from "../words.ts";

const labelled = /^(?:purpose|description|summary|migration|what)\s*:\s*(.+)$/i;
// Lines that tools and people write above a file that say nothing of its purpose.
const noise =
  /^(?:[-=*#~\s]*|.*\.sql|(?:author|date|created|version|depends on|reverses|risk|ticket|migrate:|\+goose|\+migrate|atlas:|rollback|verify)\b.*|\d{4}-\d\d-\d\d.*)$/i;

/** What a migration is for, in one line: its header's words, else those of its name. */
export function purposeOf(migration: { readonly name: string; readonly forwardSql: string }): string {
  const head = migration.forwardSql.slice(0, skipBlank(migration.forwardSql, 0));
  const lines = commentLines(head).map(({ text }) => text.replace(/[\s*=#-]+$/, "").replace(/^[\s*=#-]+/, ""));
  for (const line of lines) {
    const [, found] = labelled.exec(line) ?? [];
    if (found !== undefined && !noise.test(found)) return shorten(found, 160);
  }
  const first = lines.find((line) => !noise.test(line) && /\p{L}/u.test(line));
  return first === undefined ? wordsOfName(migration.name) : shorten(first, 160);
}

function wordsOfName(name: string): string {
  const words = name
    .replace(/^[VvUu]?\d[\d._-]*/, "")
    .replace(/\.(up|sql)$/i, "")
    .replace(/[_\s-]+/g, " ")
    .trim();
  return words === "" ? name : words;
}
