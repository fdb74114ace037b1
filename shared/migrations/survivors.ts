import type { Session } from "../postgres/session.ts";

/** Names of tables, columns and types by identity: a drop and create gives another identity, whatever the name. */
export type Identities = ReadonlyMap<string, string>;

export async function readIdentities(session: Session): Promise<Identities> {
  const rows = await session.sql<{ name: string; identity: string }[]>`
    with own as (
      select oid, nspname from pg_catalog.pg_namespace
      where nspname not in ('pg_catalog', 'information_schema', 'belay') and nspname !~ '^pg_'
    )
    select format('%s %I.%I', case c.relkind when 'S' then 'sequence' when 'm' then 'materialized view' else 'table' end, n.nspname, c.relname) as name,
      'c' || c.oid as identity
    from pg_catalog.pg_class c join own n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'm', 'S', 'f')
    union all
    select format('column %I.%I.%I', n.nspname, c.relname, a.attname), format('%s.%s', c.oid, a.attnum)
    from pg_catalog.pg_class c join own n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p', 'f')
    union all
    select format('type %I.%I', n.nspname, t.typname), 't' || t.oid
    from pg_catalog.pg_type t join own n on n.oid = t.typnamespace where t.typtype in ('e', 'd', 'r')`;
  return new Map(rows.map((row) => [row.identity, row.name]));
}

/** What was there before the migration and outlived it, but would not outlive the proposal: its rows would be lost. */
export function lostSurvivors(before: Identities, after: Identities, proposed: Identities): string[] {
  return [...before].filter(([identity]) => after.has(identity) && !proposed.has(identity)).map(([, name]) => name);
}
