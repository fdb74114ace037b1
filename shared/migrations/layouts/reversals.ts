import { isBlankSql, skipBlank } from "../../sql/blank.ts";
import { type CommentLine, commentLines } from "../../sql/comments.ts";
import type { LayoutProblem } from "../types.ts";
import { migrationName, problemAt, type SourceFile, versionOf } from "./source.ts";

/** A file that holds rollback SQL alone, and the migrations that it reverses; `layout`: called by where it stands. */
export interface Reversal {
  readonly file: SourceFile;
  readonly reverses: readonly string[];
  readonly layout: "rollbacks-folder" | "mirror-folder" | "prefix" | "up-down-pair";
}

interface Names {
  readonly all: ReadonlySet<string>;
  readonly byVersion: ReadonlyMap<string, readonly string[]>;
}

/** Names that a header gives: lists under a label, and what else it mentions. */
interface Header {
  readonly listed: readonly string[];
  readonly mentioned: readonly string[];
  readonly unknown: readonly LayoutProblem[];
}

const label =
  /^(?:reverses|reverts|undoes|rolls[ -]back|rollback (?:of|for)|rolls? back)(?:\s+migrations?)?\s*(:?)(.*)$/i;

/** What rollback files reverse, by migration name. A file of one migration goes before one of several. */
export function reversals(
  files: { readonly apart: readonly SourceFile[]; readonly beside: readonly SourceFile[] },
  forward: readonly SourceFile[],
): { byMigration: ReadonlyMap<string, Reversal>; problems: readonly LayoutProblem[] } {
  const problems: LayoutProblem[] = [];
  const byMigration = new Map<string, Reversal>();
  const all = forward.map((file) => migrationName(file.name));
  const names: Names = { all: new Set(all), byVersion: Map.groupBy(all, (name) => versionOf(name)!) };
  const found = [
    ...files.apart.map((file) => reversalOf(file, true, names, problems)),
    ...files.beside.map((file) => reversalOf(file, false, names, problems)),
  ].filter((one) => one !== null);
  for (const one of found)
    for (const name of one.reverses) {
      const other = byMigration.get(name);
      if (other === undefined || isBetter(one, other)) byMigration.set(name, one);
      else if (other.reverses.length === one.reverses.length && !isBlankSql(one.file.text)) {
        const message = `${one.file.name} reverses ${name}, as ${other.file.path} does: that one counts`;
        problems.push(problemAt(one.file, 1, "duplicate_rollback", message));
      }
    }
  return { byMigration, problems };
}

function isBetter(one: Reversal, other: Reversal): boolean {
  const [blank, otherBlank] = [isBlankSql(one.file.text), isBlankSql(other.file.text)];
  return blank === otherBlank ? one.reverses.length < other.reverses.length : otherBlank;
}

/** What a file's header lists, else the migration whose name the file bears, else what the header mentions, else that of its version. */
function reversalOf(file: SourceFile, isApart: boolean, names: Names, problems: LayoutProblem[]): Reversal | null {
  const header = readHeader(file, names);
  const own = ownName(file.name, names);
  const isMirror = names.all.has(migrationName(file.name));
  const apart = isMirror ? "mirror-folder" : "rollbacks-folder";
  const layout = isApart ? apart : /\.down\.sql$/i.test(file.name) ? "up-down-pair" : "prefix";
  const given = header.listed.length > 0 ? header.listed : own === null ? header.mentioned : [own];
  if (own === null || header.listed.length > 0) problems.push(...header.unknown);
  if (given.length > 0) return { file, reverses: [...new Set(given)], layout };
  const sameVersion = names.byVersion.get(versionOf(bareName(file.name)) ?? "") ?? [];
  if (sameVersion.length === 1) return { file, reverses: sameVersion, layout };
  const message = `${file.name} reverses no migration of the folder, by its header or its name: write \`-- Reverses: NAME.sql\` at its top`;
  problems.push(problemAt(file, 1, "orphan_rollback", message, "warning"));
  return null;
}

/** `rollback_1_a.sql`, `1_a.down.sql`, `1_a.rollback.sql`, `1_a_rollback.sql` are called for 1_a. */
function bareName(fileName: string): string {
  return migrationName(fileName)
    .replace(/^rollback[_-]/i, "")
    .replace(/(?:\.(?:down|rollback|undo)|[_-]rollback)$/i, "");
}

function ownName(fileName: string, names: Names): string | null {
  const candidates = [migrationName(fileName), bareName(fileName), `${bareName(fileName)}.up`];
  return candidates.find((name) => names.all.has(name)) ?? null;
}

function readHeader(file: SourceFile, names: Names): Header {
  const listed: string[] = [];
  const mentioned: string[] = [];
  const unknown: LayoutProblem[] = [];
  let listLine = 0;
  for (const comment of commentLines(file.text.slice(0, skipBlank(file.text, 0)))) {
    const found = namesIn(comment, file, names, unknown);
    const [, colon, rest = ""] = label.exec(comment.text) ?? [];
    const opens = colon === ":" || (colon !== undefined && found.length > 0 && isBareList(rest));
    const continues = listLine === comment.line - 1 && found.length > 0 && isBareList(comment.text);
    if (opens || continues) listLine = comment.line;
    (opens || continues ? listed : mentioned).push(...found);
  }
  return { listed, mentioned, unknown };
}

/** Whether a text is names alone, with what stands between names in a list, and a remark in parentheses. */
function isBareList(text: string): boolean {
  const words = text
    .replace(/\([^)]*\)?/g, " ")
    .split(/[\s,;]+/)
    .filter((word) => word !== "");
  return words.every((word) => /^(?:and|&|[-*•])$/i.test(word) || versionOf(word.replace(/^[`'"]/, "")) !== null);
}

function namesIn(comment: CommentLine, file: SourceFile, names: Names, unknown: LayoutProblem[]): string[] {
  const own = migrationName(file.name);
  return [...comment.text.matchAll(/[\p{L}\p{N}_.-]+/gu)].flatMap(([word]) => {
    const plain = migrationName(word.replace(/[.]+$/, ""));
    if (names.all.has(plain)) return [plain];
    // A bare number in prose is not a version: only timestamps are taken without a name.
    const sameVersion = /^\d{8,}$/.test(plain) ? (names.byVersion.get(plain) ?? []) : [];
    if (sameVersion.length === 1) return [...sameVersion];
    if (!/\.sql$/i.test(word) || plain === own || versionOf(plain) === null) return [];
    const message = `${file.name} reverses ${plain}, which is not in the folder`;
    unknown.push(problemAt(file, comment.line, "unknown_dependency", message));
    return [];
  });
}
