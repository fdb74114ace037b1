import { BelayError } from "../../../errors.ts";
import { databaseError } from "../../../postgres/errors.ts";
import type { Session } from "../../../postgres/session.ts";

const queryBytes = 128 * 1024;
const longestStatement = 256 * 1024 * 1024;
const [semicolon, single, double] = [59, 39, 34];

/**
 * Runs the INSERT statements of a data file (pg_dump --inserts), many in one query, and returns by how many rows the
 * table has grown. Throws `archive_invalid` for a statement that never ends.
 */
export async function loadInserts(
  session: Session,
  table: string,
  data: AsyncIterable<Uint8Array>,
  decode: (bytes: Uint8Array) => string,
): Promise<number> {
  // The driver tells only the last statement's count.
  const countRows = async () => Number((await session.run(`select count(*) as rows from only ${table}`))[0]!.rows);
  try {
    const before = await countRows();
    for await (const statements of wholeStatements(data)) {
      const text = decode(statements);
      if (text.trim() !== "") await session.run(text);
    }
    return (await countRows()) - before;
  } catch (error) {
    throw databaseError(error, { doing: "inserting rows" });
  }
}

/** Cuts SQL text at semicolons outside quotes, as pg_restore does; some statements at a time. */
async function* wholeStatements(data: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let waiting = 0;
  let quote = 0;
  for await (const chunk of data) {
    let cut = -1;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      if (quote !== 0) {
        // A doubled quote closes and opens again.
        if (byte === quote) quote = 0;
      } else if (byte === single || byte === double) quote = byte;
      else if (byte === semicolon) cut = at + 1;
    }
    if (cut > 0 && waiting + cut >= queryBytes) {
      yield Buffer.concat([...pending, chunk.subarray(0, cut)]);
      pending = [Buffer.from(chunk.subarray(cut))];
      waiting = chunk.length - cut;
      continue;
    }
    pending.push(Buffer.from(chunk));
    waiting += chunk.length;
    if (waiting > longestStatement)
      throw new BelayError("archive_invalid", `an INSERT statement is longer than ${longestStatement} bytes`, {
        hint: "The archive is damaged. Use another one.",
      });
  }
  const rest = Buffer.concat(pending);
  if (quote !== 0)
    throw new BelayError("archive_invalid", "the last INSERT statement does not end: the data were cut", {
      hint: "The archive is damaged. Use another one.",
    });
  yield rest;
}
