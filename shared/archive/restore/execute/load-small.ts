import { qualified } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import { restoreError } from "../errors.ts";
import type { RestoreContext } from "./context.ts";
import { count, type RowsStep } from "./load.ts";
import { requireRows, takeRows } from "./rows.ts";
import { type DoneEntry, doneSql } from "./state.ts";

/** Tables whose data are read ahead, and the most bytes of each that wait in memory. */
const ahead = 8;
const mostAhead = 512 * 1024;

/** Loads small tables one after the other in one transaction: all of them or none. */
export async function loadTogether(
  session: Session,
  steps: readonly RowsStep[],
  context: RestoreContext,
): Promise<void> {
  const sources: ReadAhead[] = [];
  const done: DoneEntry[] = [];
  let current = steps[0]!;
  try {
    await session.run("BEGIN");
    for (const [at, step] of steps.entries()) {
      current = step;
      while (sources.length < Math.min(steps.length, at + ahead))
        sources.push(readAhead(context.archive.data(steps[sources.length]!.entry)));
      const source = sources[at]!;
      const rows = await takeRows(session, step.entry, source.chunks(), context.encoding);
      requireRows(step.entry, rows, context.archive.manifest);
      done.push({ dumpId: step.entry.dumpId, rows, bytes: source.bytes });
      context.onBytes(source.bytes);
    }
    await session.run(`${doneSql(done)}COMMIT`);
  } catch (error) {
    for (const source of sources) source.leave();
    if (session.alive) await session.run("ROLLBACK").catch(() => {});
    const table = qualified(current.entry.namespace, current.entry.tag);
    throw restoreError(error, { what: `the rows of ${table}`, table, majors: context.majors });
  }
  for (const { rows } of done) count(context, rows ?? 0);
}

interface ReadAhead {
  chunks(): AsyncGenerator<Uint8Array>;
  readonly bytes: number;
  leave(): void;
}

/** Begins to read at once, so that opening and decompressing one table happens while another is loaded. */
function readAhead(data: AsyncIterable<Uint8Array>): ReadAhead {
  const iterator = data[Symbol.asyncIterator]();
  let bytes = 0;
  let over = false;
  const first = (async () => {
    const chunks: Uint8Array[] = [];
    while (bytes < mostAhead) {
      const { value, done } = await iterator.next();
      if (done) {
        over = true;
        break;
      }
      bytes += value.length;
      chunks.push(value);
    }
    return chunks;
  })();
  first.catch(() => {});
  return {
    get bytes() {
      return bytes;
    },
    leave: () => void iterator.return?.().catch(() => {}),
    chunks: async function* () {
      yield* await first;
      while (!over) {
        const { value, done } = await iterator.next();
        if (done) return;
        bytes += value.length;
        yield value;
      }
    },
  };
}
