import type { Readable, Writable } from "node:stream";
import type postgres from "postgres";
import { BelayError } from "../errors.ts";
import type { Session } from "./session.ts";

/** A COPY that has begun: the driver's stream, and what becomes of the statement. */
export interface CopyQuery<T extends Readable | Writable> {
  readonly stream: T;
  /** Rows copied, by the server's word; rejects with the server's error or the lost connection. Never unhandled. */
  readonly finished: Promise<number>;
}

interface DriverQuery {
  simple(): DriverQuery;
  execute(): DriverQuery;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Sends a COPY statement. postgres.js 3.4.9 settles the query with the stream as soon as COPY begins and then tells
 * nobody how it ended (its issue 1173): the query's own resolve and reject are hooked, which it calls again at the end.
 */
export function startCopy<T extends Readable | Writable>(
  session: Session,
  statement: string,
  onStream: (stream: T) => void = () => {},
): Promise<CopyQuery<T>> {
  return new Promise((resolve, reject) => {
    const finished = Promise.withResolvers<number>();
    finished.promise.catch(() => {});
    let started = false;
    const query = session.sql.unsafe(statement) as unknown as DriverQuery;
    query.resolve = (value) => {
      if (started) return finished.resolve(Number((value as postgres.RowList<postgres.Row[]>).count ?? 0));
      if (!isStream(value)) return reject(notCopy());
      started = true;
      onStream(value as T);
      resolve({ stream: value as T, finished: finished.promise });
    };
    query.reject = (error) => {
      if (started) finished.reject(error);
      else reject(error);
    };
    query.simple().execute();
  });
}

function isStream(value: unknown): boolean {
  return typeof (value as { destroy?: unknown } | null)?.destroy === "function";
}

function notCopy(): BelayError {
  return new BelayError("internal", "the statement given to COPY is not a COPY from stdin or to stdout");
}
