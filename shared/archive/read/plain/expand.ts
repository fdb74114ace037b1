import { Buffer } from "node:buffer";
import { decompress } from "../../compression/decompress.ts";
import { damaged } from "../../format/damage.ts";
import { sniff, sniffLength } from "../sniff.ts";

/**
 * A script's text: decompresses gzip, zstd and lz4, told by the first bytes. Throws `archive_invalid` naming `name` for
 * what is no script.
 */
export async function* expanded(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const stored = await peek(chunks);
  const found = judge(stored.head, name);
  if (found === "none") return yield* stored.chunks;
  const inside = await peek(decompress(found, stored.chunks, name));
  if (judge(inside.head, name) === "none") return yield* inside.chunks;
  await inside.chunks.return(undefined);
  throw damaged(`${name} is compressed twice`, "Decompress it once, then try again.");
}

function judge(head: Uint8Array, name: string) {
  const found = sniff(head);
  if (found.kind === "compressed") return found.compression;
  if (found.kind === "other") throw damaged(`${name} ${found.why}`, found.hint);
  if (found.kind === "custom") throw damaged(`${name} is an archive in custom format, not a script`);
  return "none";
}

/** The first bytes, and the stream with them. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; chunks: AsyncGenerator<Uint8Array> }> {
  const source = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < sniffLength) {
    const { done, value } = await source.next();
    if (done === true) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  return { head, chunks: joined(head, source) };
}

async function* joined(first: Uint8Array, source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}
