import type { Session } from "../postgres/session.ts";
import { creationOrder } from "./order.ts";
import { fromStored } from "./stored-entry.ts";
import type { Entry } from "./types.ts";

/** Entries of two snapshots, those alone that differ between them or are asked for. */
export interface SnapshotPair {
  readonly before: readonly Entry[];
  readonly after: readonly Entry[];
}

/**
 * Reads, of the newest snapshot before one migration and of that after another, the entries that differ and those with
 * `keys`: whole snapshots of large databases take seconds. null unless both are there.
 */
export async function readSnapshotPair(
  session: Session,
  first: string,
  last: string,
  keys: readonly string[],
): Promise<SnapshotPair | null> {
  const [states] = await session.sql`
    select belay.state_at(${first}, 'before') as before, belay.state_at(${last}, 'after') as after`;
  if (states!.before === null || states!.after === null) return null;
  const [row] = await session.sql`
    with wanted as materialized (
      select e.id from belay.snapshot_entries e
       where e.key = any(${[...keys]}::text[]) or e.key in (select c.key from belay.state_changes(${states!.before}, ${states!.after}) c)
    ), ids as materialized (select coalesce(array_agg(id), '{}') as among from wanted)
    select (select json_agg(e.entry) from ids, belay.state_entries(${states!.before}, ids.among) i join belay.snapshot_entries e on e.id = i)::text as before,
      (select json_agg(e.entry) from ids, belay.state_entries(${states!.after}, ids.among) i join belay.snapshot_entries e on e.id = i)::text as after`;
  return { before: entriesOf(row!.before), after: entriesOf(row!.after) };
}

function entriesOf(text: string | null): Entry[] {
  return creationOrder((JSON.parse(text ?? "[]") as Entry[]).map(fromStored));
}
