import type { Session } from "../../postgres/session.ts";
import { type LockMode, modeFromPgLocks, modesConflict } from "../effect/lock-modes.ts";

export interface Blocker {
  readonly pid: number;
  readonly role: string;
  readonly state: string;
  readonly ageSeconds: number;
  readonly relation: string;
  readonly query: string;
}

/** Sessions whose locks stand in the way of the planned ones now; never the session that asks. */
export async function readBlockers(
  session: Session,
  locks: readonly { oid: number; mode: string }[],
): Promise<Blocker[]> {
  if (locks.length === 0) return [];
  const rows = await session.sql`
    select l.pid, l.mode, l.relation::int8 as oid, n.nspname as schema, c.relname as name, coalesce(a.usename, '') as role,
           coalesce(a.state, 'prepared transaction') as state, coalesce(a.query, '') as query,
           coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::float8 as age
      from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
           left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
       and l.database = (select oid from pg_database where datname = current_database())
       and l.relation = any(${locks.map((each) => String(each.oid))}::text[]::oid[])`;
  const wanted = new Map(locks.map((each) => [each.oid, each.mode as LockMode]));
  const found = new Map<string, Blocker>();
  for (const row of rows) {
    const held = modeFromPgLocks(row.mode);
    const mode = wanted.get(Number(row.oid));
    if (held === null || mode === undefined || !modesConflict(held, mode)) continue;
    const relation = `${row.schema}.${row.name}`;
    found.set(`${row.pid} ${relation}`, {
      pid: row.pid ?? 0,
      role: row.role,
      state: row.state,
      ageSeconds: Math.max(0, Math.round(row.age)),
      relation,
      query: firstWords(row.query),
    });
  }
  return [...found.values()].sort((a, b) => b.ageSeconds - a.ageSeconds || a.pid - b.pid);
}

/** The leading bare words of a statement: what it does, without the values that it may hold. */
export function firstWords(query: string): string {
  const plain = query.replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, "");
  const words = /^([a-z_]+)(\s+[a-z_][a-z0-9_.]*){0,3}/i.exec(plain)?.[0] ?? "";
  return words.replace(/\s+/g, " ").slice(0, 60);
}
