import type { Settings } from "../../config.ts";
import { BelayError } from "../../errors.ts";
import { sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { setLimits, setLocal } from "./timeouts.ts";

/** The time from the first lock of the rollback SQL to COMMIT; ends the backend's statement when it is used up. */
export interface CriticalSection {
  readonly startedAt: number;
  /** Throws when the time is used up. */
  check(): void;
  /** Milliseconds so far. */
  elapsed(): number;
  stop(): void;
}

const graceMs = 2_000;

/** Starts the clock; `control` cancels whatever the worker's backend runs when the limit passes. */
export function startCriticalSection(control: Session, pid: number, limitMs: number): CriticalSection {
  const startedAt = performance.now();
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    control.sql`select pg_cancel_backend(${pid})`.catch(() => {});
  }, limitMs);
  // A function can catch the cancellation and go on.
  const last = setTimeout(() => {
    control.sql`select pg_terminate_backend(${pid})`.catch(() => {});
  }, limitMs + graceMs);
  const elapsed = () => performance.now() - startedAt;
  return {
    startedAt,
    elapsed,
    check: () => {
      if (passed || elapsed() > limitMs) throw tooLong(limitMs);
    },
    stop: () => {
      clearTimeout(timer);
      clearTimeout(last);
    },
  };
}

function tooLong(limitMs: number): BelayError {
  return new BelayError(
    "lock_not_obtained",
    `the rollback held its locks for more than ${limitMs} ms and was given up`,
    {
      hint: "Nothing changed. Run it in a quieter hour, or raise criticalSectionMs.",
      details: { limitMs },
    },
  );
}

/** What the session runs with before the rollback SQL and is put back to before the database is asked what happened. */
export interface Surroundings {
  readonly searchPath: string;
}

/** The search_path of a new connection of the team's own tool: the database's, the role's or the server's default. */
export async function defaultSurroundings(session: Session): Promise<Surroundings> {
  const [row] = await session.sql`select reset_val from pg_settings where name = 'search_path'`;
  return { searchPath: row!.reset_val };
}

/** Runs the rollback SQL as one simple query; the caller has set the savepoint `belay_sql`. */
export async function runRollbackSql(session: Session, sql: string, surroundings: Surroundings): Promise<void> {
  await setLocal(session, "search_path", surroundings.searchPath);
  await session.run(sql);
}

/**
 * Fires deferred triggers, then undoes role, search_path and settings that the SQL may have set, so that what is asked
 * next is answered as before and nothing is left to happen at COMMIT.
 */
export async function resetSurroundings(session: Session, settings: Settings): Promise<void> {
  await nothingLeft(session);
  await session.run("reset session authorization; reset role; reset all");
  await setLimits(session, settings, "critical");
  await setLocal(session, "search_path", "pg_catalog");
}

/**
 * Lets nothing wait for COMMIT: deferred triggers fire now, cursors WITH HOLD (their query would run then) are closed,
 * and temporary objects, which stand in front of the system catalogs, go.
 */
export async function nothingLeft(session: Session): Promise<void> {
  await session.run("set constraints all immediate; close all; discard temp; set constraints all immediate; close all");
}

/** The SQL must not have ended the transaction in a way that its text did not show. */
export async function requireSameTransaction(session: Session, xid: string): Promise<void> {
  const [row] = await session.sql`select pg_current_xact_id_if_assigned()::text as xid`;
  if (row!.xid === xid) return;
  throw new BelayError("internal", "the rollback SQL ended the transaction that Belay had begun", {
    hint: "What it did before that may be committed: compare with the archive and the plan at once.",
  });
}

/** Back to the savepoint: the outer locks and the archive stay (facts.md, "More that was tried"). */
export async function backToSavepoint(session: Session): Promise<void> {
  await session.run("rollback to savepoint belay_sql");
}

/** What rollback SQL threw, as an error that names the migration and the place in the SQL. */
export function rollbackSqlError(error: unknown, migration: string, sql: string): BelayError {
  const cause = error as { message?: string; position?: string; hint?: string };
  const line =
    cause.position === undefined ? "" : ` at line ${sql.slice(0, Number(cause.position)).split("\n").length}`;
  return new BelayError(
    "sql_failed",
    `the rollback SQL of ${migration} failed${line}: ${cause.message ?? String(error)}`,
    {
      hint: "Nothing changed. Mend the rollback SQL, register it again, and plan again.",
      details: { migration, sqlstate: sqlStateOf(error) },
      cause: error,
    },
  );
}
