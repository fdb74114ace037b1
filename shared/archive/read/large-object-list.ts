import { Buffer } from "node:buffer";
import { damaged } from "../format/damage.ts";
import { OidSet } from "../oid-set.ts";
import { checkFileName } from "./names.ts";

/** A line is an oid, a blank and a name. */
const longestLine = 1100;
const newline = 10;
const largestOid = 2 ** 32 - 1;

/** Reads the list of large objects of a directory archive line by line; throws `archive_invalid` naming `what`. */
export async function* readLargeObjectList(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<{ oid: number; file: string }> {
  const seen = new OidSet();
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let at = rest.indexOf(newline); at !== -1; at = rest.indexOf(newline, from)) {
      const line = parseLine(rest.subarray(from, at), what);
      if (!seen.add(line.oid)) throw damaged(`${what} names large object ${line.oid} twice`);
      yield line;
      from = at + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > longestLine) throw bad(what);
  }
  if (rest.length > 0) throw damaged(`${what} is cut: it ends within a line`);
}

function parseLine(line: Buffer, what: string): { oid: number; file: string } {
  const [, oid, file] = /^(\d{1,10}) (.+)$/.exec(line.toString("utf8")) ?? [];
  if (oid === undefined || Number(oid) < 1 || Number(oid) > largestOid) throw bad(what);
  // One small file under many names would be a bomb.
  const own = new RegExp(`^blob_${Number(oid)}\\.dat(\\.(gz|lz4|zst))?$`);
  if (!own.test(checkFileName(file!, what)))
    throw damaged(`${what} names the file ${JSON.stringify(file!.slice(0, 80))} for large object ${oid}`);
  return { oid: Number(oid), file: file! };
}

function bad(what: string) {
  return damaged(`${what} holds a line that is not an oid and a file's name`);
}
