import type { Session } from "../../postgres/session.ts";
import { type LockMode, modeFromPgLocks, modesConflict } from "../effect/lock-modes.ts";
import type { Plan } from "../types.ts";

export type Blocker = Plan["blockers"][number];

interface LockRow {
  readonly pid: number | null;
  readonly gid: string | null;
  readonly mode: string;
  readonly granted: boolean;
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly backend: string | null;
  readonly role: string;
  readonly application: string;
  /** null when this role may not see it. */
  readonly state: string | null;
  readonly query: string;
  readonly age: number;
  readonly query_age: number | null;
}

export interface BlockersAsked {
  /** Another session of ours that counts no more than the one that asks. */
  readonly except?: number;
  /** Only transactions that are open at least so long. */
  readonly olderThanMs?: number;
}

/**
 * Who holds, or waits before us for, locks that stand in the way of the planned ones now: sessions, autovacuum and
 * prepared transactions; never the session that asks. The longest open first.
 */
export async function readBlockers(
  session: Session,
  locks: readonly { readonly oid: number; readonly mode: string }[],
  { except, olderThanMs = 0 }: BlockersAsked = {},
): Promise<Blocker[]> {
  if (locks.length === 0) return [];
  const wanted = new Map(locks.map((each) => [each.oid, each.mode as LockMode]));
  const found = new Map<string, Blocker>();
  for (const row of await readLocks(session, [...wanted.keys()])) {
    if (row.pid === except || row.age * 1_000 < olderThanMs) continue;
    const held = modeFromPgLocks(row.mode);
    const mode = wanted.get(Number(row.oid));
    if (held === null || mode === undefined || !modesConflict(held, mode)) continue;
    const blocker = blockerOf(row, held);
    const key = `${row.pid} ${row.gid} ${blocker.relation}`;
    const known = found.get(key);
    if (known === undefined || (!known.granted && blocker.granted)) found.set(key, blocker);
  }
  return [...found.values()].sort((a, b) => b.ageSeconds - a.ageSeconds || (a.pid ?? 0) - (b.pid ?? 0));
}

/** A prepared transaction's locks have no pid, and the virtual transaction of its session of then: its own id's lock has that too. */
async function readLocks(session: Session, oids: readonly number[]): Promise<LockRow[]> {
  return await session.sql<LockRow[]>`
    select l.pid, p.gid, l.mode, l.granted, l.relation::int8::text as oid, n.nspname as schema, c.relname as name,
           a.backend_type as backend, coalesce(a.usename, p.owner, '') as role, coalesce(a.application_name, '') as application,
           a.state, coalesce(a.query, '') as query,
           coalesce(extract(epoch from clock_timestamp() - coalesce(a.xact_start, p.prepared)), 0)::float8 as age,
           case when a.state is not null then extract(epoch from clock_timestamp() - a.query_start)::float8 end as query_age
      from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
           left join pg_stat_activity a on a.pid = l.pid
           left join pg_locks x on l.pid is null and x.pid is null and x.locktype = 'transactionid' and x.virtualtransaction = l.virtualtransaction
           left join pg_prepared_xacts p on p.transaction = x.transactionid
     where l.locktype = 'relation' and l.pid is distinct from pg_backend_pid()
       and l.database = (select oid from pg_database where datname = current_database())
       and l.relation = any(${oids.map(String)}::text[]::oid[])`;
}

function blockerOf(row: LockRow, mode: LockMode): Blocker {
  return {
    kind: kindOf(row),
    pid: row.pid,
    gid: row.gid,
    role: row.role,
    application: row.application,
    state: row.pid === null ? "prepared" : (row.state ?? "hidden"),
    ageSeconds: Math.max(0, Math.round(row.age)),
    queryAgeSeconds: row.query_age === null ? null : Math.max(0, Math.round(row.query_age)),
    mode,
    granted: row.granted,
    relation: `${row.schema}.${row.name}`,
    query: firstWords(row.query),
  };
}

function kindOf({ pid, backend }: LockRow): Blocker["kind"] {
  if (pid === null) return "prepared_transaction";
  if (backend === "autovacuum worker") return "autovacuum";
  return backend === null || backend === "client backend" ? "session" : "background_worker";
}

/** The leading bare words of a statement: what it does, without the values that it may hold. */
export function firstWords(query: string): string {
  const plain = query.replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/, "");
  const words = /^([a-z_]+:?)(\s+[a-z_][a-z0-9_.]*){0,3}/i.exec(plain)?.[0] ?? "";
  return words.replace(/\s+/g, " ").slice(0, 60);
}
