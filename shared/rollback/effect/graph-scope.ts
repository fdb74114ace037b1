import type { Statement } from "../../sql/parse.ts";
import type { Node } from "./sql-nodes.ts";

/** What statements may look up: read from their text alone, too much rather than too little. */
export interface GraphScope {
  /** Every word that could name an object. */
  readonly names: readonly string[];
  /** Words that name a schema, language, extension or access method that goes or is renamed, with all that it holds. */
  readonly holders: readonly string[];
  /** Statements change rows, so that foreign keys lead on from table to table. */
  readonly followsKeys: boolean;
  /** Statements name what has no name of its own: casts, transforms, user mappings, default privileges. */
  readonly unnamed: boolean;
}

const rowStatements = new Set(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt", "CopyStmt"]);
const holderTypes = new Set(["OBJECT_SCHEMA", "OBJECT_LANGUAGE", "OBJECT_EXTENSION", "OBJECT_ACCESS_METHOD"]);
const unnamedTypes = new Set(["OBJECT_CAST", "OBJECT_TRANSFORM"]);

export function graphScope(statements: readonly Statement[]): GraphScope {
  const names = new Set<string>();
  const holders = new Set<string>();
  let [followsKeys, unnamed] = [false, false];
  for (const { kind, node } of statements) {
    const { words, parts } = wordsIn(node);
    for (const word of words) names.add(word);
    const body = node as Node;
    const type = (body.removeType ?? body.renameType ?? body.objectType) as string | undefined;
    if (type !== undefined && holderTypes.has(type)) for (const word of words) holders.add(word);
    followsKeys ||= rowStatements.has(kind) || [...rowStatements].some((part) => parts.has(part));
    unnamed ||= unnamedTypes.has(type ?? "") || words.has("OBJECT_CAST") || words.has("OBJECT_TRANSFORM");
    unnamed ||= /UserMapping|DefaultPrivileges/.test(kind);
  }
  return { names: [...names], holders: [...holders], followsKeys, unnamed };
}

/** The strings of a parse tree that are short enough for a name (`'public.s'` holds two), and the kinds of its nodes. */
function wordsIn(node: unknown): { words: Set<string>; parts: Set<string> } {
  const words = new Set<string>();
  const parts = new Set<string>();
  const open: unknown[] = [node];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string") {
      if (value.length <= 63) words.add(value);
      if (value.length <= 127 && value.includes(".")) for (const word of value.split(".")) words.add(word);
    } else if (value !== null && typeof value === "object") {
      if (!Array.isArray(value)) for (const kind of Object.keys(value)) parts.add(kind);
      open.push(...Object.values(value));
    }
  }
  return { words, parts };
}
