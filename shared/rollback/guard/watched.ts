import type { Session } from "../../postgres/session.ts";

/** A constraint trigger that may wait until COMMIT, beyond the last look at what happened. */
export interface DeferrableTrigger {
  readonly relation: number;
  readonly name: string;
  /** Which version of the trigger and of its function this is. */
  readonly version: string;
}

/** A digest over Belay's own schema: its tables, functions, triggers, rules and policies, by the version of each. */
export async function readOwnSchema(session: Session): Promise<string> {
  const [row] = await session.sql`
    with own as (select oid from pg_namespace where nspname = 'belay'),
    parts as (
      select 'n' as kind, oid, xmin from pg_namespace where nspname = 'belay'
      union all select 'r', oid, xmin from pg_class where relnamespace in (select oid from own)
      union all select 'f', oid, xmin from pg_proc where pronamespace in (select oid from own)
      union all select 'c', oid, xmin from pg_constraint where connamespace in (select oid from own)
      union all select 't', t.oid, t.xmin from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace in (select oid from own)
      union all select 'u', u.oid, u.xmin from pg_rewrite u join pg_class c on c.oid = u.ev_class where c.relnamespace in (select oid from own)
      union all select 'p', p.oid, p.xmin from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace in (select oid from own)
      union all select 'a', a.attrelid, a.xmin from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace in (select oid from own)
    )
    select coalesce(md5(string_agg(kind || ':' || oid || ':' || xmin, ',' order by kind, oid, xmin::text)), '') as digest from parts`;
  return row!.digest;
}

/** Deferrable triggers of the team's own making, by oid. */
export async function readDeferrableTriggers(session: Session): Promise<Map<number, DeferrableTrigger>> {
  const rows = await session.sql`
    select t.oid::int8::text as oid, t.tgrelid::int8::text as relation, t.tgname as name,
           t.xmin::text || '/' || f.xmin::text as version
      from pg_trigger t join pg_proc f on f.oid = t.tgfoid
     where t.tgdeferrable and not t.tgisinternal`;
  return new Map(
    rows.map((row) => [Number(row.oid), { relation: Number(row.relation), name: row.name, version: row.version }]),
  );
}

/** Tables, `schema.table`, with triggers of foreign keys or other constraints that are switched off, which no entry tells. */
export async function readUnchecked(session: Session): Promise<string[]> {
  const rows = await session.sql`
    select distinct t.tgrelid::int8 as oid, n.nspname || '.' || c.relname as name
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
     where t.tgisinternal and t.tgenabled in ('D', 'R') order by 1`;
  return rows.map((row) => row.name);
}
