import type { Session } from "../../../postgres/session.ts";
import { restoreError } from "../errors.ts";
import type { Step } from "../plan/types.ts";
import type { RestoreContext } from "./context.ts";
import { doneSql } from "./state.ts";

export type LargeObjectsStep = Extract<Step, { kind: "large-objects" }>;

const pieceBytes = 512 * 1024;

/** Writes the contents of an entry's large objects, which exist already, in one transaction. */
export async function loadLargeObjects(
  session: Session,
  { entry }: LargeObjectsStep,
  context: RestoreContext,
): Promise<void> {
  let bytes = 0;
  let oid = 0;
  try {
    await session.run("BEGIN");
    for await (const object of context.archive.largeObjects(entry)) {
      oid = object.oid;
      let offset = 0;
      for await (const piece of inPieces(object.content)) {
        await session.sql`select pg_catalog.lo_put(${object.oid}::text::oid, ${String(offset)}::text::int8, ${piece})`;
        offset += piece.length;
        bytes += piece.length;
        context.onBytes(piece.length);
      }
    }
    await session.run(`${doneSql([{ dumpId: entry.dumpId, bytes }])}COMMIT`);
  } catch (error) {
    if (session.alive) await session.run("ROLLBACK").catch(() => {});
    const what = oid === 0 ? "the large objects" : `the large object ${oid}`;
    throw restoreError(error, { what, majors: context.majors });
  }
  context.counts.entries += 1;
}

async function* inPieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += pieceBytes) yield Buffer.from(chunk.subarray(at, at + pieceBytes));
}
