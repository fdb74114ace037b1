import { quoteIdent } from "../../catalog/identifiers.ts";
import { sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { nothingLeft } from "../../rollback/transaction/run-sql.ts";
import type { Statement } from "../../sql/parse.ts";
import type { Script } from "./script.ts";
import { scriptError } from "./script-error.ts";
import type { ProofError } from "./types.ts";

/** What came of running a script. */
export interface Ran {
  readonly ms: number;
  readonly error: ProofError | null;
}

/** Runs work on a session and ends it when it takes too long. */
export type Limited = <T>(session: Session, work: () => Promise<T>) => Promise<T>;

/** What a statement needs that says so only when it is run inside of a transaction, or together with others. */
const needsItsOwn = new Set(["25001", "55P04"]);
/** What may come of two scripts sharing a transaction, and not of either. */
const needsCommit = new Set([...needsItsOwn, "55006", "2D000", "25000", "0B000"]);

/** Runs a script as the team's tool would, and commits. A failed one leaves what was committed before the failure. */
export async function runScript(session: Session, script: Script, limited: Limited): Promise<Ran> {
  const started = performance.now();
  const ran = (error: ProofError | null): Ran => ({ ms: performance.now() - started, error });
  if (script.refusal !== null) return ran(scriptError(script.refusal, script));
  try {
    await limited(session, () => commitScript(session, script));
    return ran(null);
  } catch (error) {
    await endIfLost(session, error);
    await session.run("rollback").catch(() => {});
    return ran(error instanceof StatementFailure ? error.told : await located(session, script, error, limited));
  } finally {
    if (session.alive) await cleanSession(session, script);
  }
}

async function commitScript(session: Session, script: Script): Promise<void> {
  if (script.mode === "statements") return await runEach(session, script);
  if (script.mode === "as-written") {
    await session.run(script.text);
    await session.run("rollback");
    return;
  }
  try {
    await session.run("begin");
    await session.run(script.text);
    await session.run("commit");
  } catch (error) {
    await session.run("rollback").catch(() => {});
    if (script.strict || !needsItsOwn.has(sqlStateOf(error) ?? "") || script.statements.length === 0) throw error;
    await runEach(session, script);
  }
}

/** Thrown with the statement that failed. */
class StatementFailure extends Error {
  readonly told: ProofError;
  constructor(told: ProofError, cause: unknown) {
    super(told.message, { cause });
    this.told = told;
  }
}

async function runEach(session: Session, script: Script): Promise<void> {
  for (const statement of script.statements) await runOne(session, script, statement);
}

async function runOne(session: Session, script: Script, statement: Statement): Promise<void> {
  try {
    await session.run(statement.text);
  } catch (error) {
    throw new StatementFailure(scriptError(error, script, statement), error);
  }
}

/** The error with its place: where the server names none, the statements are run one by one, and rolled back. */
async function located(session: Session, script: Script, error: unknown, limited: Limited): Promise<ProofError> {
  const told = scriptError(error, script);
  if (told.line !== null || script.inner === null || !session.alive) return told;
  try {
    await session.run("begin");
    await limited(session, () => runEach(session, script));
    await session.run("set constraints all immediate");
    return told;
  } catch (again) {
    return again instanceof StatementFailure && again.told.code === told.code ? again.told : told;
  } finally {
    await session.run("rollback").catch(() => {});
  }
}

/** What came of a script within a transaction of ours that will be rolled back. */
export interface RanInside extends Ran {
  /** It may fail for being inside alone: try it on a copy. */
  readonly undecided: boolean;
}

/** Runs a script within the session's transaction, then puts role, settings and what waits for COMMIT in order. */
export async function runInside(session: Session, script: Script, limited: Limited): Promise<RanInside> {
  const started = performance.now();
  const ms = () => performance.now() - started;
  if (script.refusal !== null) return { ms: 0, error: scriptError(script.refusal, script), undecided: false };
  try {
    await limited(session, () => runAndSettle(session, script));
    return { ms: ms(), error: null, undecided: false };
  } catch (error) {
    const lost = await endIfLost(session, error);
    const undecided = lost || needsCommit.has(sqlStateOf(error) ?? "");
    return { ms: ms(), error: scriptError(error, script), undecided };
  }
}

async function runAndSettle(session: Session, script: Script): Promise<void> {
  if (!script.blank) await session.run(script.inner!);
  await nothingLeft(session);
  await session.run("reset session authorization; reset role; reset all; discard temp");
  await forgetPrepared(session, script);
}

/** Finds the statement of a script that failed inside a transaction; rolls back. */
export async function locateInside(session: Session, script: Script, told: ProofError, limited: Limited) {
  return told.line !== null ? told : await located(session, script, asThrown(told), limited);
}

function asThrown({ message, code }: ProofError): Error {
  return Object.assign(new Error(message), { code });
}

/** Nothing that a script set or left open may reach the next; what the driver prepared stays. */
async function cleanSession(session: Session, script: Script): Promise<void> {
  await session.run(
    "reset session authorization; reset all; close all; unlisten *; discard temp; discard sequences; select pg_catalog.pg_advisory_unlock_all()",
  );
  await forgetPrepared(session, script);
}

/** Drops the statements that a script prepared: neither ROLLBACK nor RESET does. */
export async function forgetPrepared(session: Session, { text }: Script): Promise<void> {
  if (!/\bprepare\b/i.test(text)) return;
  const rows = await session.sql<{ name: string }[]>`
    select name from pg_catalog.pg_prepared_statements where from_sql`;
  for (const { name } of rows) await session.run(`deallocate ${quoteIdent(name)}`);
}

/** The server's last words before it hangs up, and the driver's when it did without any. */
const hangingUp = /^(?:57P0[1-5]|25P03|08\w{3}|CONNECTION_\w+)$/;

/** Ends a session whose server process is gone, before the driver knows; answers whether it was. */
async function endIfLost(session: Session, error: unknown): Promise<boolean> {
  const causes = [error, (error as { cause?: unknown } | null)?.cause];
  const codes = causes.map((one) => String((one as { code?: unknown } | null)?.code ?? ""));
  if (session.alive && !codes.some((code) => hangingUp.test(code))) return false;
  await session.destroy().catch(() => {});
  return true;
}
