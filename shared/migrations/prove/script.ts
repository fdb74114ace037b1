import { BelayError, isBelayError } from "../../errors.ts";
import { isBlankSql, placeOf } from "../../sql/blank.ts";
import { isConcurrent } from "../../sql/concurrently.ts";
import { parseSql, type Statement } from "../../sql/parse.ts";
import { prepareRollbackSql } from "../../sql/prepare.ts";
import { whyNotTransactional } from "../../sql/transactional.ts";

/** How a team's tool runs a file: in one transaction, each statement in its own, or as it stands, with its own BEGIN and COMMIT. */
export type RunMode = "transaction" | "statements" | "as-written";

/** One file's SQL, ready to run. */
export interface Script {
  readonly text: string;
  /** Where `text` begins. */
  readonly file: string;
  readonly line: number;
  readonly mode: RunMode;
  /** The tool would not step out of its transaction for a statement that cannot run in one. */
  readonly strict: boolean;
  /** What does the same within a transaction of ours; null when nothing does. */
  readonly inner: string | null;
  /** Empty when the text could not be parsed. */
  readonly statements: readonly Statement[];
  /** Why it cannot be run at all: it is no SQL. */
  readonly refusal: BelayError | null;
  readonly blank: boolean;
}

export interface ScriptOptions {
  /** False: the file asks to be run outside of a transaction. */
  readonly transactional?: boolean;
  /** Whether the team's tool fails where a statement cannot run in its transaction, told how many there are. */
  readonly strict?: (statements: number) => boolean;
}

/** Reads how SQL is to be run. */
export function readScript(sql: string, place: { file: string; line: number }, options: ScriptOptions = {}): Script {
  const text = sql.replace(/^\uFEFF/, " ");
  const base = { text, ...place, statements: [], strict: false, refusal: null, blank: isBlankSql(text) };
  let statements: Statement[];
  try {
    statements = parseSql(text, place);
  } catch (error) {
    if (!isBelayError(error, "sql_syntax")) throw error;
    // The server has the last word on SQL, but psql's commands it can only misread.
    return { ...base, mode: "transaction", inner: text, refusal: notForServer(text, place, error) };
  }
  const transactional = options.transactional ?? true;
  const strict = transactional && (options.strict?.(statements.length) ?? false);
  const mode = modeOf(statements, transactional, strict);
  const refusal = rowsOfClient(statements, place);
  return { ...base, statements, strict, refusal, mode, inner: innerText(text, place, statements, mode) };
}

function modeOf(statements: readonly Statement[], transactional: boolean, strict: boolean): RunMode {
  if (statements.some(endsOrBegins)) return "as-written";
  if (strict) return "transaction";
  const apart = statements.some(
    (one) => one.kind !== "TransactionStmt" && (isConcurrent(one) || whyNotTransactional(one) !== null),
  );
  return apart || !transactional ? "statements" : "transaction";
}

/** BEGIN, COMMIT and their like; savepoints need the transaction that the tool opens. */
function endsOrBegins({ kind, node }: Statement): boolean {
  return kind === "TransactionStmt" && !/SAVEPOINT|RELEASE|ROLLBACK_TO/.test(String(node.kind));
}

function innerText(
  text: string,
  place: { file: string; line: number },
  statements: readonly Statement[],
  mode: RunMode,
): string | null {
  if (mode === "transaction") return text;
  if (mode === "statements" || statements.some(isConcurrent)) return null;
  const prepared = prepareRollbackSql(text, place);
  return prepared.refusals.length === 0 ? prepared.sql : null;
}

/** COPY from or to the client: a tool that sends SQL has no rows to send, and waits for ever. */
function rowsOfClient(statements: readonly Statement[], place: { file: string }): BelayError | null {
  const copy = statements.find(({ kind, node }) => kind === "CopyStmt" && node.filename === undefined);
  return copy === undefined ? null : clientCopy(place.file, copy);
}

function clientCopy(file: string, { line, column }: { line: number; column: number }): BelayError {
  return new BelayError("sql_syntax", "COPY from or to the client works in psql alone", {
    hint: "Write INSERT instead.",
    details: { file, line, column },
  });
}

/** What psql understands and the server does not, as the reason why SQL cannot be parsed; null for any other mistake. */
function notForServer(sql: string, place: { file: string; line: number }, error: BelayError): BelayError | null {
  const { line } = error.details as { line?: number };
  if (line === undefined) return null;
  const lines = sql.split("\n");
  const copy = lines.findIndex((one) => /^\s*copy\b.*\bfrom\s+stdin\b[^;]*;\s*$/i.test(one));
  if (copy !== -1 && copy + place.line < line) return clientCopy(place.file, { line: copy + place.line, column: 1 });
  const written = lines[line - place.line]?.trim() ?? "";
  if (!written.startsWith("\\") && !/\\(?:gexec|gset|g)\s*$/.test(written)) return null;
  const at = placeOf(sql, sql.indexOf(written));
  return new BelayError("sql_syntax", `${written.slice(0, 80)} is a command of psql, not SQL`, {
    hint: "Write out what it does: a migration tool sends the file to the server as it is.",
    details: { ...error.details, column: at.column },
    cause: error,
  });
}
