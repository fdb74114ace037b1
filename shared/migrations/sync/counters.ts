import type { Session } from "../../postgres/session.ts";

/** Notes how many rows of each table the server has counted as written, for migrations that are registered now. */
export async function recordCounters(session: Session, migrations: readonly string[]): Promise<void> {
  if (migrations.length === 0) return;
  await session.sql`
    insert into belay.counter_readings (migrations, stats_reset, counters)
    select ${[...migrations]}::text[], (select stats_reset from pg_stat_database where datname = current_database()),
           coalesce(jsonb_object_agg(s.relid::text, s.n_tup_ins + s.n_tup_upd + s.n_tup_del), '{}')
      from pg_stat_user_tables s where s.schemaname <> 'belay'`;
}

/** Rows written to tables since a migration was registered, by oid; null where the counters began anew meanwhile. */
export interface WrittenSince {
  /** When the counters were read. */
  readonly since: string;
  readonly written: ReadonlyMap<number, number | null>;
}

/**
 * What was written since each migration was registered, by its name; a migration without a reading is left out. A table
 * that was made later counts from its making; one whose counter fell lost it in a crash.
 */
export async function readWrittenSince(
  session: Session,
  migrations: readonly string[],
  oids: readonly number[],
): Promise<Map<string, WrittenSince>> {
  if (oids.length === 0) return new Map();
  const rows = await session.sql`
    with reading as (
      select distinct on (m.name) m.name, r.* from unnest(${[...migrations]}::text[]) as m (name)
        join belay.counter_readings r on m.name = any(r.migrations) order by m.name, r.id desc
    )
    select r.name, to_char(r.read_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since, s.relid::int8::text as oid,
           case when r.stats_reset is not distinct from d.stats_reset
                then (s.n_tup_ins + s.n_tup_upd + s.n_tup_del - coalesce((r.counters ->> s.relid::text)::int8, 0))::float8 end as written
      from reading r cross join pg_stat_all_tables s join pg_stat_database d on d.datname = current_database()
     where s.relid = any(${oids.map(String)}::text[]::oid[])`;
  const found = new Map<string, { since: string; written: Map<number, number | null> }>();
  for (const { name, since, oid, written } of rows) {
    const one = found.get(name) ?? { since, written: new Map() };
    one.written.set(Number(oid), written === null || written < 0 ? null : written);
    found.set(name, one);
  }
  return found;
}
