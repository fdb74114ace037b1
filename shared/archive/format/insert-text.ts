import { Buffer } from "node:buffer";
import { damaged } from "./damage.ts";

/** What ends a data file of INSERT statements: two empty lines behind the last statement's own line end. */
const ending = Buffer.from(";\n\n\n");
/** A table without rows has the empty lines alone. */
const empty = Buffer.from("\n\n");

/** Passes a data file's INSERT statements on; throws `archive_invalid` naming `what` when their end is not there. */
export async function* wholeInserts(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  let tail: Uint8Array = new Uint8Array(0);
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    tail = Buffer.concat([tail, chunk.subarray(-ending.length)]).subarray(-ending.length);
    yield chunk;
  }
  if (bytes === empty.length ? Buffer.compare(tail, empty) !== 0 : Buffer.compare(tail, ending) !== 0)
    throw damaged(`${what} does not end as a data file of INSERT statements does: it was cut`);
}
