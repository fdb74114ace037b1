import type { Session } from "../postgres/session.ts";
import { storedEntry, storedHash } from "./stored-entry.ts";
import type { Catalog, Entry } from "./types.ts";

/** What earlier calls of the same transaction stored last, so that the next state is told by what changed since. */
export interface StateSeries {
  last: { readonly state: number; readonly entries: ReadonlyMap<string, Entry | null>; readonly of?: Catalog } | null;
}

export function startSeries(): StateSeries {
  return { last: null };
}

/** Stores the entries of a database at a moment, as what came and went since a state that is there; answers the state's id. */
export async function storeState(session: Session, catalog: Catalog, series: StateSeries): Promise<number> {
  if (series.last?.of === catalog) return series.last.state;
  const entries = new Map(catalog.entries.map((entry) => [storedHash(entry), entry]));
  const base = series.last ?? (await nearestState(session, catalog.digest));
  const added = [...entries.keys()].filter((hash) => base?.entries.has(hash) !== true);
  const removed = base === null ? [] : [...base.entries.keys()].filter((hash) => !entries.has(hash));
  const state = base !== null && added.length + removed.length === 0 ? base.state : await store();
  series.last = { state, entries, of: catalog };
  return state;

  async function store(): Promise<number> {
    const fresh = added.map((hash) => ({ stored_hash: hash, entry: storedEntry(entries.get(hash)!) }));
    const [row] = await session.sql`
      select belay.store_state(${catalog.digest}, ${base?.state ?? null}::int, ${JSON.stringify(fresh)}::text::jsonb,
        ${added}::text[], ${removed}::text[]) as state`;
    return row!.state as number;
  }
}

/** The newest state of that digest, else the newest of all; null when none is stored. */
async function nearestState(session: Session, digest: string): Promise<StateSeries["last"]> {
  const [row] = await session.sql`
    select s.id, (select string_agg(e.stored_hash, ' ') from belay.state_entries(s.id) i join belay.snapshot_entries e on e.id = i) as hashes
    from belay.snapshot_states s order by (s.digest = ${digest}) desc, s.id desc limit 1`;
  if (row === undefined) return null;
  const hashes: string[] = row.hashes === null ? [] : row.hashes.split(" ");
  return { state: row.id, entries: new Map(hashes.map((hash) => [hash, null])) };
}
