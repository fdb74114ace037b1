import type { Session } from "../../postgres/session.ts";

/** An entry that should be there. */
export interface ExpectedEntry {
  readonly hash: string;
  readonly name: string;
  readonly schema: string | null;
  readonly kind: string;
  /** Id of the stored entry, for its text. */
  readonly id: number;
}

export interface ExpectedState {
  readonly comparedWith: { readonly migration: string | null; readonly takenAt: string };
  /** By key. */
  readonly entries: ReadonlyMap<string, ExpectedEntry>;
}

/**
 * What the database should hold by its newest snapshot and the rollbacks since; with `keys`, of those alone. null when
 * there is no snapshot, or none of a migration that was rolled back since.
 */
export async function readExpectedState(
  session: Session,
  keys: readonly string[] | null,
): Promise<ExpectedState | null> {
  const [newest] = await session.sql`
    select s.id, s.migration_name as migration, s.state,
           to_char(s.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "takenAt"
      from belay.snapshots s
     where s.origin = 'live' and (s.moment = 'after' or (s.moment = 'manual' and (s.migration_name is not null or not exists (select from belay.migration_history))))
     order by s.created_at desc limit 1`;
  if (newest === undefined || (await hasUnknownRollback(session, newest.id))) return null;
  const entries = new Map<string, ExpectedEntry>();
  for (const row of await readEntries(session, newest.state, keys)) entries.set(row.key, row);
  for (const change of await readUndone(session, newest.id, keys)) {
    if (change.before === null) entries.delete(change.key);
    else entries.set(change.key, change.before);
  }
  return { comparedWith: { migration: newest.migration, takenAt: newest.takenAt }, entries };
}

async function hasUnknownRollback(session: Session, snapshot: string): Promise<boolean> {
  const [row] = await session.sql`
    select exists (
      select from belay.migration_history h
       where h.status = 'rolled_back' and h.rollback_at > (select created_at from belay.snapshots where id = ${snapshot})
         and (belay.state_at(h.migration_name, 'before') is null or belay.state_at(h.migration_name, 'after') is null)
    ) as found`;
  return row!.found as boolean;
}

type Row = ExpectedEntry & { readonly key: string };

async function readEntries(session: Session, state: number, keys: readonly string[] | null): Promise<Row[]> {
  const [row] = await session.sql`
    with wanted as materialized (select id from belay.snapshot_entries ${keys === null ? session.sql`limit 0` : session.sql`where key = any(${[...keys]}::text[])`})
    select json_agg(json_build_array(e.key, e.hash, e.entry ->> 'name', e.entry ->> 'schema', e.kind, e.id)) as rows
      from belay.state_entries(${state}, ${keys === null ? null : session.sql`array(select id from wanted)`}) i
           join belay.snapshot_entries e on e.id = i`;
  const rows = (row!.rows ?? []) as [string, string, string, string | null, string, number][];
  return rows.map(([key, hash, name, schema, kind, id]) => ({ key, hash, name, schema, kind, id }));
}

/** What migrations changed that were rolled back after a snapshot, newest rollback last. */
async function readUndone(session: Session, snapshot: string, keys: readonly string[] | null) {
  const rows = await session.sql`
    select c.key, b.hash, b.kind, b.id, b.entry ->> 'name' as name, b.entry ->> 'schema' as schema
      from belay.migration_history h join belay.migration_changes c using (migration_name)
           left join belay.snapshot_entries b on b.id = c.before_entry
     where h.status = 'rolled_back' and h.rollback_at > (select created_at from belay.snapshots where id = ${snapshot})
       ${keys === null ? session.sql`` : session.sql`and c.key = any(${[...keys]}::text[])`}
     order by h.rollback_at, h.migration_version desc`;
  return rows.map(({ key, hash, kind, id, name, schema }) => ({
    key: key as string,
    before: id === null ? null : ({ hash, kind, id, name, schema } as ExpectedEntry),
  }));
}

/** CREATE texts of stored entries, by id. */
export async function readStoredTexts(session: Session, ids: readonly number[]): Promise<Map<number, string>> {
  if (ids.length === 0) return new Map();
  const rows = await session.sql`
    select id, entry ->> 'create' as text from belay.snapshot_entries where id = any(${[...ids]}::int[])`;
  return new Map(rows.map((row) => [row.id as number, row.text as string]));
}
