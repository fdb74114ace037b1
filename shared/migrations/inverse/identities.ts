import type { Session } from "../../postgres/session.ts";

/** What holds rows or values, or gives them their form: a drop and create gives another identity, whatever the name. */
export interface Identified {
  readonly kind: "table" | "materialized view" | "sequence" | "column" | "type";
  /** For people: `table public.a`, `column public.a.b`. */
  readonly name: string;
  /** What a copy made anew under another name would share with it: columns and their types. */
  readonly shape: string;
}

/** Tables, columns, sequences and types of a database by identity (oid, for columns with the number). */
export type Identities = ReadonlyMap<string, Identified>;

export async function readIdentities(session: Session): Promise<Identities> {
  const rows = await session.sql<(Identified & { identity: string })[]>`
    with own as (
      select oid, nspname from pg_catalog.pg_namespace
      where nspname not in ('pg_catalog', 'information_schema', 'belay') and nspname !~ '^pg_'
    )
    select 'c' || c.oid as identity,
      case c.relkind when 'S' then 'sequence' when 'm' then 'materialized view' else 'table' end as kind,
      format('%s %I.%I', case c.relkind when 'S' then 'sequence' when 'm' then 'materialized view' else 'table' end,
        n.nspname, c.relname) as name,
      coalesce((select string_agg(format('%s %s', a.attname, a.atttypid), ',' order by a.attname)
        from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '') as shape
    from pg_catalog.pg_class c join own n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'm', 'S', 'f')
    union all
    select format('%s.%s', c.oid, a.attnum), 'column', format('column %I.%I.%I', n.nspname, c.relname, a.attname),
      format('%I.%I %s', n.nspname, c.relname, a.atttypid)
    from pg_catalog.pg_class c join own n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p', 'f')
    union all
    select 't' || t.oid, 'type', format('type %I.%I', n.nspname, t.typname),
      coalesce((select string_agg(e.enumlabel, ',' order by e.enumsortorder)
        from pg_catalog.pg_enum e where e.enumtypid = t.oid), t.typtype::text)
    from pg_catalog.pg_type t join own n on n.oid = t.typnamespace where t.typtype in ('e', 'd', 'r')`;
  return new Map(rows.map(({ identity, kind, name, shape }) => [identity, { kind, name, shape }]));
}

/**
 * The identities of before the migration in the database of after it: those of `before` where one database is a copy of
 * the other (or both were built alike), else found by name.
 */
export function lineage(before: Identities, after: Identities): { known: boolean; identities: Identities } {
  const shared = [...before].filter(([identity]) => after.has(identity));
  const same = shared.filter(([identity, { name }]) => after.get(identity)!.name === name);
  if (before.size === 0 || (shared.length > 0 && same.length * 2 >= shared.length))
    return { known: true, identities: before };
  const names = new Set([...before.values()].map(({ name }) => name));
  return { known: false, identities: new Map([...after].filter(([, { name }]) => names.has(name))) };
}

/**
 * What was there before the migration and outlived it, but would not outlive the proposal: its rows would be lost.
 * Where the lineage is not known, what goes while its like is made anew under another name counts too.
 */
export function lostSurvivors(
  before: { known: boolean; identities: Identities },
  after: Identities,
  proposed: Identities,
): string[] {
  const gone = [...after].filter(([identity]) => !proposed.has(identity));
  const lost = gone.filter(([identity]) => before.identities.has(identity)).map(([, { name }]) => name);
  if (before.known) return lost;
  const made = [...proposed].filter(([identity]) => !after.has(identity)).map(([, { kind, shape }]) => kind + shape);
  const doubtful = gone.filter(
    ([identity, { kind, shape }]) => !before.identities.has(identity) && made.includes(kind + shape),
  );
  return [...lost, ...doubtful.map(([, { name }]) => name)];
}

/** What the migration made and the proposal keeps under another name, in the place of what was there before. */
export function renamedStrays(
  before: { known: boolean; identities: Identities },
  after: Identities,
  proposed: Identities,
): string[] {
  if (!before.known) return [];
  return [...after].flatMap(([identity, { kind, name }]) => {
    const kept = proposed.get(identity);
    if (before.identities.has(identity) || kept === undefined || (kind !== "table" && kind !== "column")) return [];
    return lastName(kept.name) === lastName(name) ? [] : [`${name} as ${kept.name}`];
  });
}

// A column's name holds its table's, which may have been renamed around it.
function lastName(name: string): string {
  return name.match(/(?:"(?:[^"]|"")*"|[^."]+)$/)?.[0] ?? name;
}
