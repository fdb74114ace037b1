import type { Readable } from "node:stream";
import { createBatcher } from "./batches.ts";
import { type CopyQuery, startCopy } from "./copy-query.ts";
import { databaseError } from "./errors.ts";
import type { Session } from "./session.ts";

const batchBytes = 128 * 1024;

/** Batches that wait for the consumer before the socket is paused. */
const mostWaiting = 4;

/**
 * Streams a `COPY ... TO STDOUT` on the session's own connection, inside its transaction, in batches of up to
 * 128 KiB. Ends only when the server has said that the COPY is complete. Leaving early cuts the session: there is
 * no other way to stop the server at once. Throws what databaseError makes of the server's error or a lost connection.
 */
export async function* copyOut(session: Session, statement: string): AsyncGenerator<Uint8Array> {
  const rows = createBatcher(batchBytes);
  let wake = () => {};
  let over = false;
  const intercept = (stream: Readable) => {
    // The driver's stream wedges the connection when it fills up at the end of the data or is left early. It is used
    // as a mailbox only: the driver's data arrives at `push`, and `_read` lets the socket go on.
    stream.push = (row: Uint8Array | null) => {
      if (row === null) {
        resume(stream);
        return true;
      }
      rows.add(row);
      if (rows.waiting > 0) wake();
      return rows.waiting < mostWaiting;
    };
    stream.destroy = () => stream;
  };
  let copy: CopyQuery<Readable> | undefined;
  try {
    copy = await startCopy<Readable>(session, statement, intercept);
    const settle = () => {
      over = true;
      wake();
    };
    copy.finished.then(settle, settle);
    while (!over) {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      if (rows.waiting === 0 && !over) await promise;
      yield* rows.take();
      if (!over) resume(copy.stream);
    }
    await copy.finished;
    rows.flush();
    yield* rows.take();
    copy = undefined;
  } catch (error) {
    copy = undefined;
    throw databaseError(error, { doing: "reading rows" });
  } finally {
    if (copy !== undefined && !over) await session.destroy();
  }
}

function resume(stream: Readable): void {
  try {
    stream._read(0);
  } catch {
    // The connection is gone: the query's reject says so.
  }
}
