import { BelayError } from "../../errors.ts";
import { openSession, type Session } from "../../postgres/session.ts";
import type { Limited } from "./run-script.ts";

/** Ends what runs too long, from a session of its own: a script can set its own statement_timeout. */
export interface TimeLimit {
  readonly limited: Limited;
  close(): Promise<void>;
}

const graceMs = 2_000;

/** Cancels after `limitMs`, and ends the backend where the SQL catches that. */
export function openTimeLimit(serverUrl: string, limitMs: number): TimeLimit {
  let control: Session | null = null;
  const act = async (text: "pg_cancel_backend" | "pg_terminate_backend", pid: number) => {
    if (control?.alive !== true) control = await openSession(serverUrl, { applicationName: "belay scratch" });
    await control.run(`select pg_catalog.${text}(${pid})`);
  };
  const limited: Limited = async (session, work) => {
    let passed = false;
    const { pid } = session;
    const first = setTimeout(() => {
      passed = true;
      act("pg_cancel_backend", pid).catch(() => {});
    }, limitMs);
    const last = setTimeout(() => act("pg_terminate_backend", pid).catch(() => {}), limitMs + graceMs);
    try {
      return await work();
    } catch (error) {
      throw passed ? tooLong(limitMs, error) : error;
    } finally {
      clearTimeout(first);
      clearTimeout(last);
    }
  };
  return { limited, close: async () => control?.close() };
}

function tooLong(limitMs: number, cause: unknown): Error {
  const message = `it was ended after ${limitMs / 1000} s`;
  return Object.assign(new BelayError("sql_failed", message, { hint: "Raise --timeout.", cause }), { code: "57014" });
}
