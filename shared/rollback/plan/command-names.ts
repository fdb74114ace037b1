import { isBelayError } from "../../errors.ts";
import { parseSql } from "../../sql/parse.ts";
import { type Node, wordsOf } from "../effect/sql-nodes.ts";

/** What SQL names; `schema` null where it does not say it. */
export interface NamedInSql {
  readonly objects: readonly { readonly schema: string | null; readonly name: string }[];
  readonly columns: ReadonlySet<string>;
}

/** Tables, functions and columns that SQL names, read with Postgres' own parser; text that does not parse, and code in strings, word by word. */
export function namedInSql(sql: string): NamedInSql {
  const found = { objects: [] as { schema: string | null; name: string }[], columns: new Set<string>() };
  try {
    for (const { kind, node } of parseSql(sql, { file: "command", line: 1 })) walk({ [kind]: node }, found);
  } catch (error) {
    if (!isBelayError(error, "sql_syntax")) throw error;
    addWords(sql, found);
  }
  return found;
}

interface Found {
  readonly objects: { schema: string | null; name: string }[];
  readonly columns: Set<string>;
}

function walk(value: unknown, found: Found): void {
  if (Array.isArray(value)) for (const each of value) walk(each, found);
  else if (value !== null && typeof value === "object")
    for (const [kind, body] of Object.entries(value as Node)) {
      note(kind, body as Node, found);
      walk(body, found);
    }
}

function note(kind: string, body: Node, found: Found): void {
  if (typeof body?.relname === "string")
    found.objects.push({ schema: (body.schemaname as string | undefined) ?? null, name: body.relname });
  else if (kind === "funcname" || kind === "objname") addName(wordsOf(body), found);
  else if (kind === "ColumnRef") for (const word of wordsOf(body.fields)) found.columns.add(word);
  else if (kind === "ResTarget" && typeof body.name === "string") found.columns.add(body.name);
  else if (kind === "DoStmt") addWords(JSON.stringify(body), found);
}

function addName(words: readonly string[], found: Found): void {
  if (words.length > 0) found.objects.push({ schema: words.at(-2) ?? null, name: words.at(-1)! });
}

function addWords(text: string, found: Found): void {
  for (const [word] of text.matchAll(/[\p{L}_][\p{L}\p{N}_$]*/gu)) {
    found.objects.push({ schema: null, name: word });
    found.columns.add(word);
  }
}
