import type { Writable } from "node:stream";
import { isBelayError } from "../errors.ts";
import { startCopy } from "./copy-query.ts";
import { databaseError } from "./errors.ts";
import type { Session } from "./session.ts";

/** Bytes that are sent as one message; a larger chunk goes as it is. */
const messageBytes = 64 * 1024;
const mostParts = 256;
const copyData = 0x64;

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
  const send = createSender(session, stream, finished);
  try {
    for await (const message of messages(chunks)) {
      // false: the server or the connection ended the COPY, and `finished` says how.
      if (!(await send(message))) break;
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

/** CopyData messages (protocol, section 55.7), each as its head and the chunks themselves, which nobody copies. */
async function* messages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const take = () => {
    const head = Buffer.alloc(5);
    head[0] = copyData;
    head.writeUInt32BE(bytes + 4, 1);
    const message = [head, ...parts];
    parts = [];
    bytes = 0;
    return message;
  };
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes >= messageBytes || parts.length >= mostParts) yield take();
  }
  if (bytes > 0) yield take();
}

/** Sends one message and waits until the socket has taken it; false when the COPY has ended meanwhile. */
function createSender(
  session: Session,
  stream: Writable,
  finished: Promise<number>,
): (message: Uint8Array[]) => Promise<boolean> {
  let over = false;
  let settle: (open: boolean) => void = () => {};
  const end = () => {
    over = true;
    settle(false);
  };
  finished.then(end, end);
  return (message) =>
    new Promise((resolve) => {
      if (over || stream.destroyed) return resolve(false);
      settle = resolve;
      // A socket that takes all at once would keep the event loop from hearing the server's refusal.
      session.wire.send(message, (error) => (error ? resolve(false) : setImmediate(() => resolve(!over))));
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
