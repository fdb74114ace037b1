import { commentLines } from "../../sql/comments.ts";
import type { SourcePlace } from "../types.ts";
import type { SourceFile } from "./source.ts";

/** A dependency as written: the name is settled against the folder by `resolveDependencies`. */
export interface WrittenDependency {
  readonly name: string;
  readonly place: SourcePlace;
}

const labelled = /^@?(?:depends[ _-]?on|depends|dependency|dependencies|requires)\s*:\s*(.*)$/i;
const unlabelled = /^@?(?:depends[ _-]?on|requires)\s+(.*)$/i;
const bullet = /^[-*•]\s*(\S.*)$/;

/**
 * Dependencies that comments declare: `Depends on: a.sql, b.sql`, `Depends-On: a`, `Requires: a`, `@depends-on a.sql`,
 * or a label with the names in the list below it. Prose (`depends on the users table`) is not a dependency.
 */
export function declaredDependencies(file: SourceFile, skipLines: ReadonlySet<number>): WrittenDependency[] {
  const found: WrittenDependency[] = [];
  let listLine = 0;
  for (const comment of commentLines(file.text)) {
    if (skipLines.has(comment.line)) continue;
    const place = {
      file: file.path,
      line: comment.line,
      column: Math.max(1, comment.wholeLine.indexOf(comment.text) + 1),
    };
    const label = labelled.exec(comment.text);
    const item = listLine === comment.line - 1 ? bullet.exec(comment.text) : null;
    const loose = label === null && item === null ? unlabelled.exec(comment.text) : null;
    if (label !== null) {
      const names = namesIn(label[1]!, true);
      found.push(...names.map((name) => ({ name, place })));
      listLine = label[1]!.trim() === "" ? comment.line : 0;
    } else if (item !== null) {
      found.push(...namesIn(item[1]!, true).map((name) => ({ name, place })));
      listLine = comment.line;
    } else if (loose !== null) found.push(...namesIn(loose[1]!, false).map((name) => ({ name, place })));
  }
  return found;
}

function namesIn(text: string, isLabelled: boolean): string[] {
  return text
    .replace(/\([^)]*\)?/g, " ")
    .split(/[,;]|\s+and\s+|\s+&\s+/i)
    .flatMap((part) => {
      const words = part.replace(/[`'"]/g, "").trim().split(/\s+/);
      const first = words[0]!.replace(/[.:]+$/, "");
      if (first === "" || /^(none|nothing|n\/?a|-+|no)$/i.test(first)) return [];
      const likely = /\.sql$/i.test(first) || /^\d{3,}([_-]\w|$)/.test(first);
      return likely || (isLabelled && words.length === 1) ? [first] : [];
    });
}
