import type { Writable } from "node:stream";
import { isBelayError } from "../errors.ts";
import { inBatches } from "./batches.ts";
import { startCopy } from "./copy-query.ts";
import { databaseError } from "./errors.ts";
import type { Session } from "./session.ts";

const batchBytes = 128 * 1024;

/** How long the server may take to answer after it was told to give the COPY up. */
const giveUpTimeoutMs = 10_000;

/**
 * Loads `chunks` with a `COPY ... FROM STDIN` on the session's own connection, inside its transaction, and returns the
 * rows loaded, by the server's word. When the source throws, the COPY is given up and the source's error thrown; when
 * the server refuses a row, the source is left at once. Afterwards the transaction is aborted, never pending.
 */
export async function copyIn(session: Session, statement: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const failed = (error: unknown) => databaseError(error, { doing: "loading rows" });
  const { stream, finished } = await startCopy<Writable>(session, statement).catch((error) => {
    throw failed(error);
  });
  stream.on("error", () => {});
  const send = createSender(stream, finished);
  try {
    for await (const batch of inBatches(chunks, batchBytes)) {
      // false: the server or the connection ended the COPY, and `finished` says how.
      if (!(await send(batch))) break;
    }
  } catch (error) {
    await giveUp(session, stream, finished);
    throw isBelayError(error) ? error : failed(error);
  }
  stream.end();
  return await finished.catch((error) => {
    throw failed(error);
  });
}

/** Sends one chunk and waits until the socket has taken it; false when the COPY has ended meanwhile. */
function createSender(stream: Writable, finished: Promise<number>): (chunk: Uint8Array) => Promise<boolean> {
  let over = false;
  let settle: (open: boolean) => void = () => {};
  const end = () => {
    over = true;
    settle(false);
  };
  finished.then(end, end);
  return (chunk) =>
    new Promise((resolve) => {
      if (over || stream.destroyed) return resolve(false);
      settle = resolve;
      // A socket that takes all at once would keep the event loop from hearing the server's refusal.
      stream.write(chunk, (error) => (error ? resolve(false) : setImmediate(() => resolve(!over))));
    });
}

/** Tells the server to forget the COPY and waits until it has. */
async function giveUp(session: Session, stream: Writable, finished: Promise<number>): Promise<void> {
  // The text goes to the server's log: it must not carry a value from the source's error.
  stream.destroy(new Error("the source of the rows failed"));
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), giveUpTimeoutMs);
  const answer = await Promise.race([finished.catch(() => "refused" as const), late.promise]);
  clearTimeout(timer);
  if (answer === "late") await session.destroy();
}
