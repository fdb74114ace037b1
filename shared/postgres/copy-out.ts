import type { Readable } from "node:stream";
import { type BlockBuilder, createBlockBuilder } from "./blocks.ts";
import { type CopyQuery, startCopy } from "./copy-query.ts";
import { databaseError } from "./errors.ts";
import type { Session } from "./session.ts";

const defaultBlockBytes = 128 * 1024;

/** Blocks of a COPY. The consumer may give each back, once nobody uses it any more. */
export interface CopyBlocks extends AsyncGenerator<Uint8Array, number> {
  recycle(block: Uint8Array): void;
}

/** Blocks that wait for the consumer before the socket is paused. */
const mostWaiting = 2;

export interface CopyOutOptions {
  /** Bytes of each block but the last; default 128 KiB. */
  readonly blockBytes?: number;
}

/**
 * Streams a `COPY ... TO STDOUT` on the session's own connection, inside its transaction, in blocks; returns the rows
 * copied, by the server's word. Ends only when the server has said that the COPY is complete. Leaving early cuts the
 * session: there is no other way to stop the server at once. Throws what databaseError makes of the server's error or
 * a lost connection.
 */
export function copyOut(session: Session, statement: string, options: CopyOutOptions = {}): CopyBlocks {
  const rows = createBlockBuilder(options.blockBytes ?? defaultBlockBytes);
  return Object.assign(read(session, statement, rows), { recycle: rows.recycle });
}

async function* read(session: Session, statement: string, rows: BlockBuilder): AsyncGenerator<Uint8Array, number> {
  const { wire } = session;
  let wake = () => {};
  let over = false;
  wire.divert({
    add: rows.add,
    taken: () => {
      if (rows.waiting === 0) return;
      if (rows.waiting >= mostWaiting) wire.pause();
      wake();
    },
  });
  let copy: CopyQuery<Readable> | undefined;
  try {
    copy = await startCopy<Readable>(session, statement, muted);
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
      if (!over) wire.resume();
    }
    const copied = await copy.finished;
    rows.flush();
    yield* rows.take();
    return copied;
  } catch (error) {
    over = true;
    throw databaseError(error, { doing: "reading rows" });
  } finally {
    if (copy !== undefined && !over) await session.destroy();
    wire.divert(null);
    wire.resume();
  }
}

/** The rows never reach the driver's stream, which wedges the connection when it ends unread or is left early. */
function muted(stream: Readable): void {
  stream.push = () => true;
  stream.destroy = () => stream;
}
