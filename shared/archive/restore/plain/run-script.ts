import { isBelayError } from "../../../errors.ts";
import type { Session } from "../../../postgres/session.ts";
import { readCopyStatement } from "../../read/plain/copy-statement.ts";
import { createInsertNames, tableKey } from "../../read/plain/names.ts";
import { refuseScript } from "../../read/plain/refuse.ts";
import { type StatementKind, statementKind } from "../../read/plain/statement-kind.ts";
import type { PlainArchive, ScriptPart } from "../../read/types.ts";
import { createBatcher, StatementFailure } from "./batches.ts";
import { type DecideContext, decide, isWanted } from "./decide.ts";
import { converted } from "./encoded.ts";
import type { Helper } from "./helper.ts";
import { runCopy } from "./run-copy.ts";
import { type FailedStatement, type ScriptProgress, scriptError } from "./script-error.ts";
import { asPsql } from "./script-session.ts";

export interface ScriptRun {
  readonly archive: PlainArchive;
  readonly session: Session;
  readonly context: DecideContext;
  readonly progress: ScriptProgress;
  /** Takes a share of large tables' rows. */
  readonly helper: Helper;
  /** Tables with rows enough for that; see tableKey. */
  readonly large: ReadonlySet<string>;
  /** Each warning once. */
  warn(warning: string): void;
  onBytes(stored: number): void;
  /** The first rows, and what follows the last ones. */
  enter(phase: "rows" | "finish"): void;
}

type Statement = Extract<ScriptPart, { kind: "statement" }>;
type Copy = Extract<ScriptPart, { kind: "copy" }>;

const limits = { characters: 256 * 1024, statements: 2000 };
/** Each holds its locks to the end of the query. */
const definitionLimits = { characters: 256 * 1024, statements: 50 };

/** Runs a script's parts in order on one session, as psql with ON_ERROR_STOP: the first error ends it, with its line. */
export async function runScript(run: ScriptRun): Promise<void> {
  const { archive, session, context, progress } = run;
  const script = archive.place.prefix.split("/").at(-1) ?? archive.place.prefix;
  const { tables } = context.options;
  const insertName = createInsertNames();
  const loaded = new Set<string>();
  const count = (statements: number, rows: number) => {
    progress.statements += statements;
    progress.rows += rows;
  };
  const inserts = createBatcher(session, limits, count);
  const definitions = createBatcher(session, definitionLimits, count);
  const flush = async () => {
    await inserts.flush();
    await definitions.flush();
  };
  const note = (schema: string | null, table: string) => {
    loaded.add(tableKey({ schema, table }));
    progress.tables = loaded.size;
  };

  const alone = async ({ text, line, encoded }: Statement) => {
    await guard({ script, line, text }, progress, async () => {
      const sql = encoded === null ? text : await converted(session, encoded);
      // What a query answers is of no use, and may be more than memory holds.
      const result = await session.sql
        .unsafe(sql)
        .simple()
        .forEach(() => {});
      count(1, result.command === "INSERT" ? (result.count ?? 0) : 0);
    });
  };
  const together = async (part: Statement, kind: StatementKind["kind"]) => {
    const inside = progress.transactionLine !== null;
    if (kind !== "insert") {
      await inserts.flush();
      return await definitions.add(part, inside);
    }
    const name = insertName(part.text);
    if (tables !== undefined && (name === null || !isWanted(name, tables))) return;
    if (name !== null) note(name.schema, name.table);
    run.enter("rows");
    progress.bytes += part.text.length;
    await definitions.flush();
    if (part.valueRows > 0) return await inserts.add(part, inside);
    await inserts.flush();
    await alone(part);
  };
  const statement = async (part: Statement) => {
    const kind = statementKind(part.text);
    const decision = decide(kind, part.text, context);
    if (decision.action === "refuse") throw refuseScript(script, part.line, decision.why, decision.hint);
    if (decision.action === "skip") {
      if (decision.warning !== null) run.warn(decision.warning);
      return;
    }
    if (decision.action === "together" && part.encoded === null) return await together(part, kind.kind);
    await flush();
    if (decision.action === "rewritten") return await alone({ ...part, text: decision.text, encoded: null });
    if (kind.kind === "alone" && !/^(select|set|reset)\b/i.test(part.text)) run.enter("finish");
    await alone(part);
    run.helper.follow(...settingOf(kind, part.text, progress));
    if (kind.kind === "transaction") follow(kind.verb, part.line, progress);
  };
  const copy = async (part: Copy) => {
    await flush();
    const target = readCopyStatement(part.statement);
    const name = { schema: target?.schema ?? null, table: target?.table ?? "" };
    if (context.options.rows === false || !isWanted(name, tables)) return;
    run.enter("rows");
    count(1, await runCopy({ ...run, script }, part, name));
    note(name.schema, name.table);
  };

  try {
    for await (const part of archive.parts({ onBytes: run.onBytes })) {
      if (part.kind === "statement") await statement(part);
      else if (part.kind === "copy") await copy(part);
      else if (part.kind === "connect") {
        if (part.database !== null && part.database !== context.database)
          throw refuseScript(script, part.line, `it connects to another database, ${part.database}`);
        await flush();
        await asPsql(session);
        run.helper.reset();
      }
    }
    await flush();
  } catch (error) {
    if (!(error instanceof StatementFailure)) throw error;
    throw scriptError(error.cause, { script, ...error.statement }, progress);
  }
  if (progress.transactionLine !== null)
    throw refuseScript(
      script,
      progress.transactionLine,
      "the transaction that begins here never ends: it is rolled back",
    );
}

async function guard(failed: FailedStatement, progress: ScriptProgress, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isBelayError(error, "archive_invalid")) throw error;
    throw scriptError(error, failed, progress);
  }
}

/** What another session must do to be as this one: nothing, the same, or (null) it cannot be. */
function settingOf(kind: StatementKind, text: string, { transactionLine }: ScriptProgress): [] | [string | null] {
  const sets = kind.kind === "setting" || /^(reset|select\s+pg_catalog\.set_config)\b/i.test(text);
  if (sets) return [transactionLine === null ? text : null];
  return kind.kind === "owner" || /^(discard|load)\b/i.test(text) ? [null] : [];
}

function follow(verb: "begin" | "end" | "inside", line: number, progress: ScriptProgress): void {
  if (verb === "begin") progress.transactionLine ??= line;
  if (verb === "end") progress.transactionLine = null;
}
