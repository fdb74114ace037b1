import { type SqlToken, sqlTokens } from "./tokens.ts";

/** A table as a script names it. */
export interface ScriptTable {
  readonly schema: string | null;
  readonly table: string;
}

/** A table's names as one text, for maps and sets. */
export function tableKey({ schema, table }: ScriptTable): string {
  return JSON.stringify([schema, table]);
}

const target = /^insert\s+into\s+((?:"(?:[^"]|"")*"|[^\s."(]+)(?:\s*\.\s*(?:"(?:[^"]|"")*"|[^\s."(]+))?)/i;

/** Names the table of INSERT statements; the same names over and over are parsed once. */
export function createInsertNames(): (text: string) => ScriptTable | null {
  const known = new Map<string, ScriptTable | null>();
  return (text) => {
    const written = target.exec(text)?.[1];
    if (written === undefined) return null;
    let found = known.get(written);
    if (found === undefined) {
      found = parseTable(written);
      if (known.size < 10_000) known.set(written, found);
    }
    return found;
  };
}

function parseTable(written: string): ScriptTable | null {
  const names = [...sqlTokens(written)].flatMap(({ identifier }) => (identifier === null ? [] : [identifier]));
  const [first, second] = names;
  if (first === undefined) return null;
  return second === undefined ? { schema: null, table: first } : { schema: first, table: second };
}

/** Not names of roles, though they stand where one does. */
const noRole = new Set(["public", "current_user", "session_user", "current_role", "user", "default", "none"]);

/** Roles that a statement names and that must exist before it runs. */
export function namedRoles(text: string): string[] {
  if (!/^(alter|grant|revoke|create\s+(schema|policy|user\s+mapping)|set)\b/i.test(text)) return [];
  const tokens = [...sqlTokens(text, 4000)];
  return tokens.flatMap((token, at) => {
    if (token.kind !== "word") return [];
    return rolesAt(tokens, at).filter((name) => !noRole.has(name));
  });
}

function rolesAt(tokens: readonly SqlToken[], at: number): string[] {
  const word = tokens[at]!.text;
  const before = tokens[at - 1]?.text;
  const verb = tokens[0]!.text;
  const policy = tokens[1]?.text === "POLICY";
  const owner = word === "TO" && before === "OWNER" && at === tokens.length - 2;
  const privileges = verb === "GRANT" || verb === "REVOKE" || (verb === "ALTER" && tokens[1]?.text === "DEFAULT");
  if (owner || (privileges && word === (tokens.some(isRevoke) ? "FROM" : "TO") && depthAt(tokens, at) === 0))
    return listAfter(tokens, at);
  if (privileges && (word === "ROLE" || word === "USER") && before === "FOR") return listAfter(tokens, at);
  if (policy && word === "TO" && depthAt(tokens, at) === 0 && before !== "RENAME") return listAfter(tokens, at);
  if (word === "AUTHORIZATION" && (verb === "CREATE" || verb === "SET")) return listAfter(tokens, at);
  if (word === "FOR" && verb === "CREATE" && tokens[1]?.text === "USER") return listAfter(tokens, at);
  return [];
}

function isRevoke(token: SqlToken): boolean {
  return token.kind === "word" && token.text === "REVOKE";
}

function depthAt(tokens: readonly SqlToken[], at: number): number {
  return tokens.slice(0, at).reduce((depth, { kind, text }) => {
    if (kind !== "sign") return depth;
    return text === "(" ? depth + 1 : text === ")" ? depth - 1 : depth;
  }, 0);
}

function listAfter(tokens: readonly SqlToken[], at: number): string[] {
  const names: string[] = [];
  for (let next = at + 1; next < tokens.length; next += 2) {
    if (tokens[next]?.text === "GROUP") next += 1;
    const token = tokens[next];
    const name = token?.kind === "string" ? token.text : token?.identifier;
    if (name == null) break;
    names.push(name);
    if (tokens[next + 1]?.text !== ",") break;
  }
  return names;
}

/** The extension that a statement makes, or null. */
export function namedExtension(text: string): string | null {
  if (!/^create\s+extension\b/i.test(text)) return null;
  const [, , ...rest] = [...sqlTokens(text, 20)];
  return rest.find(({ kind, text: word }) => kind !== "word" || !/^(IF|NOT|EXISTS)$/.test(word))?.identifier ?? null;
}
