import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";

export interface TimeLimit {
  /** Throws when the time is used up. */
  check(): void;
  stop(): void;
}

/** Bounds the time in which an undo may hold its locks; when it is used up, what the backend runs is cancelled. */
export function limitTime(control: Session, pid: number, limitMs: number): TimeLimit {
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    control.sql`select pg_cancel_backend(${pid})`.catch(() => {});
  }, limitMs);
  return {
    check: () => {
      if (passed) throw tooLong(limitMs);
    },
    stop: () => clearTimeout(timer),
  };
}

function tooLong(limitMs: number): BelayError {
  return new BelayError("lock_not_obtained", `the undo held its locks for more than ${limitMs} ms and was given up`, {
    hint: "Nothing changed. Run it in a quieter hour, or raise statementTimeoutMs.",
    details: { limitMs },
  });
}
