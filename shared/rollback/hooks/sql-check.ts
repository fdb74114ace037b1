import type { Belay } from "../../context.ts";
import { sqlStateOf } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { within } from "./attempts.ts";

export interface Answered {
  readonly healthy: boolean;
  readonly status: number | null;
  readonly evidence: string;
}

const unanswered = (evidence: string): Answered => ({ healthy: false, status: null, evidence });

/** Runs one query in a read-only transaction that is rolled back; healthy when it answers one row whose first column is true. */
export async function askDatabase(belay: Belay, query: string, timeoutMs: number): Promise<Answered> {
  let session: Session | undefined;
  const late = () => {
    void session?.destroy().catch(() => {});
    return unanswered(`the query did not answer within ${timeoutMs} ms`);
  };
  const work = async () => {
    session = await belay.openSession({
      applicationName: "belay health",
      connectTimeoutSeconds: Math.max(1, Math.ceil(timeoutMs / 1000)),
    });
    try {
      return await ask(session, query, timeoutMs);
    } finally {
      await session.close().catch(() => {});
    }
  };
  return await within(
    timeoutMs,
    work().catch((error) => unanswered(whyNot(error))),
    late,
  );
}

async function ask(session: Session, query: string, timeoutMs: number): Promise<Answered> {
  await session.run("begin read only");
  const ms = String(timeoutMs);
  await session.sql`select set_config('statement_timeout', ${ms}, true), set_config('lock_timeout', ${ms}, true)`;
  // Not as a simple query: that could hold a COMMIT and more.
  const options = { simple: false, prepare: false } as { prepare: boolean };
  const rows = await session.sql.unsafe(query, [], options).values();
  await session.run("rollback");
  const [first] = rows;
  const healthy = rows.length === 1 && first?.[0] === true;
  return { healthy, status: null, evidence: healthy ? "the query answered true" : notTrue(rows.length, first?.[0]) };
}

/** Never the value itself. */
function notTrue(rows: number, value: unknown): string {
  if (rows !== 1) return `the query answered ${rows === 0 ? "no row" : `${rows} rows`} instead of one`;
  if (value === false || value === null) return `the query answered ${value === false ? "false" : "NULL"}`;
  return "the query answered something else than true or false";
}

/** The server's message may quote values; its code does not. */
function whyNot(error: unknown): string {
  const state = sqlStateOf(error);
  if (state !== undefined) return `the query failed (SQLSTATE ${state})`;
  const code = (error as { code?: unknown } | null)?.code;
  return `the database did not answer${typeof code === "string" ? ` (${code})` : ""}`;
}
