import { textParameters } from "../../shared/archive/table-digest.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { withParameters } from "../../shared/postgres/settings.ts";
import { type ComparedTable, readKeyedRows } from "./keys.ts";
import { type Fate, mergeRows, type RowChange } from "./merge.ts";

export type RowCounts = Readonly<Record<Fate, number>>;

/**
 * Compares a table that stands in both databases row by row, in the order of their keys, and hands every difference to
 * `take` as a stream. Both sessions are busy until the stream has ended.
 */
export async function compareTable(
  today: Session,
  backup: Session,
  table: ComparedTable,
  take: (changes: AsyncIterable<RowChange>) => Promise<unknown> = drain,
): Promise<RowCounts> {
  const counts = { new: 0, changed: 0, deleted: 0 };
  async function* counted() {
    for await (const change of mergeRows(readKeyedRows(today, table), readKeyedRows(backup, table))) {
      counts[change.fate] += 1;
      yield change;
    }
  }
  await withParameters(today, textParameters, () => withParameters(backup, textParameters, () => take(counted())));
  return counts;
}

async function drain(changes: AsyncIterable<RowChange>): Promise<void> {
  for await (const _ of changes);
}
