import { isBelayError } from "../../errors.ts";
import { sqlStateOf } from "../../postgres/errors.ts";
import { placeOf } from "../../sql/blank.ts";
import type { Statement } from "../../sql/parse.ts";
import type { Script } from "./script.ts";
import type { ProofError } from "./types.ts";

/** What a script threw, as a proof tells it: the server's words, the SQLSTATE, the place in the file and the statement. */
export function scriptError(error: unknown, script: Script, statement?: Statement): ProofError {
  if (isBelayError(error, "sql_syntax") && script.refusal === error) {
    const { line, column } = error.details as { line?: number; column?: number };
    return { ...said(error), file: script.file, line: line ?? null, column: column ?? null, statement: null };
  }
  const offset = offsetOf(error, script, statement);
  if (offset === null) return { ...said(error), file: script.file, line: null, column: null, statement: null };
  const at = placeOf(script.text, offset);
  const around = statement ?? statementAt(script, offset);
  return {
    ...said(error),
    file: script.file,
    line: script.line + at.line - 1,
    column: at.column,
    statement: around === undefined ? null : shortened(around.text),
  };
}

function said(error: unknown): { message: string; code: string | null } {
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: sqlStateOf(error) ?? null };
}

/** Offset in the script's text that the server points at; the statement's beginning where it points at nothing. */
function offsetOf(error: unknown, script: Script, statement: Statement | undefined): number | null {
  const position = Number((error as { position?: unknown } | null)?.position);
  const start = statement?.offset ?? 0;
  if (Number.isInteger(position) && position > 0) return start + utf16(script.text.slice(start), position - 1);
  return statement?.offset ?? (script.statements.length === 1 ? script.statements[0]!.offset : null);
}

function statementAt({ statements }: Script, offset: number): Statement | undefined {
  return statements.findLast((one) => one.offset <= offset);
}

/** The server counts characters, JavaScript UTF-16 units. */
function utf16(text: string, characters: number): number {
  let at = 0;
  for (let n = 0; n < characters && at < text.length; n++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

const longest = 400;

function shortened(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
