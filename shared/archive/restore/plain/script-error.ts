import { BelayError, isBelayError } from "../../../errors.ts";
import { plural } from "../../../words.ts";
import { firstWords } from "../../read/plain/survey.ts";
import { type RestoreFault, restoreError } from "../errors.ts";

/** How far a script has come. */
export interface ScriptProgress {
  statements: number;
  rows: number;
  tables: number;
  bytes: number;
  /** Line where the open transaction began; null outside of one. */
  transactionLine: number | null;
}

export interface FailedStatement {
  /** The script's file. */
  readonly script: string;
  readonly line: number;
  readonly text: string;
  /** Line of the first row; only for COPY. */
  readonly dataLine?: number;
  /** Line of the row that was refused, where it is known already. */
  readonly rowLine?: number;
}

const advice: Partial<Record<RestoreFault, string>> = {
  missing_role: "Make the role (CREATE ROLE), or pass --no-owner --no-acl.",
  missing_extension: "Install the extension's package on the server.",
  permission: "Restore as a superuser or as a role that may do this; --no-owner and --no-acl ask for fewer rights.",
  version: "The script comes from a newer server than this one.",
  disk_full: "Make room on the server's disk.",
  limit: "Raise the server's limit that the message names.",
};

/** Says which line of the script failed and why, what was done before it, and how to clean up; never with a row's values. */
export function scriptError(error: unknown, failed: FailedStatement, progress: ScriptProgress): BelayError {
  const cause = isBelayError(error) && error.cause !== undefined ? error.cause : error;
  const line = lineOf(cause, failed);
  const what = `${failed.script}:${line} (${firstWords(failed.text)})`;
  const known = restoreError(error, { what, table: failed.dataLine === undefined ? undefined : what, lines: false });
  const fault = known.details.fault as RestoreFault | undefined;
  if (fault === undefined) return known;
  return new BelayError(known.code, known.message, {
    hint: [advice[fault], `${doneWords(progress)} Drop the database (or make a new one) and restore again.`]
      .filter((part) => part !== undefined)
      .join(" "),
    cause: known.cause,
    details: { ...known.details, script: failed.script, line, table: undefined, done: { ...progress } },
  });
}

export function doneWords({ statements, rows, transactionLine }: ScriptProgress): string {
  const inside =
    transactionLine === null ? "" : ` What the transaction begun in line ${transactionLine} did is rolled back.`;
  return `Before it, ${plural(statements, "statement")} ran and ${plural(rows, "row")} came in; a script goes on from its beginning only.${inside}`;
}

/** The server counts characters of the statement, or lines of COPY data. */
function lineOf(cause: unknown, { line, text, dataLine, rowLine }: FailedStatement): number {
  if (rowLine !== undefined) return rowLine;
  const { position, where } = (cause ?? {}) as { position?: unknown; where?: unknown };
  const row = dataLine === undefined ? null : /^COPY [^\n]*?, line (\d+)/m.exec(String(where ?? ""));
  if (row !== null) return dataLine! + Number(row[1]) - 1;
  const characters = Number(position ?? 0);
  if (!(characters > 1)) return line;
  const before = [...text.slice(0, characters * 2)].slice(0, characters - 1);
  return line + before.filter((character) => character === "\n").length;
}
