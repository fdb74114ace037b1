import type postgres from "postgres";
import type { Session } from "../../postgres/session.ts";

/** A piece of a query. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

/**
 * SQL for `schema.name(type, type)` of the function with that oid, always with its schema, as pg_dump names the
 * functions of casts and transforms; null when there is none.
 */
export function functionSignature(session: Session, oid: Fragment): Fragment {
  return session.sql`(
    select quote_ident(sn.nspname) || '.' || quote_ident(sp.proname) || '(' || coalesce((
        select string_agg(format_type(type, null), ', ' order by n) from unnest(sp.proargtypes) with ordinality as a (type, n)
      ), '') || ')'
    from pg_proc sp join pg_namespace sn on sn.oid = sp.pronamespace where sp.oid = ${oid}
  )`;
}

/** The name in a regprocedure's text, which the argument types follow; null for none (`-`). */
export function functionName(procedure: string): string | null {
  return procedure === "-" ? null : /^(?:"(?:[^"]|"")*"|[^"(])*/.exec(procedure)![0];
}
