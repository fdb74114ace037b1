import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";

/** An object or column that keeps its identity while it is renamed or moved; a drop and create gives another identity. */
export interface Identified {
  readonly kind:
    | "schema"
    | "table"
    | "view"
    | "materialized view"
    | "sequence"
    | "index"
    | "column"
    | "constraint"
    | "type";
  readonly schema: string;
  /** The relation that a column or constraint belongs to. */
  readonly relation: string | null;
  readonly name: string;
  /** What a copy made anew under another name would share with it: columns and their types. The owning table of a sequence. */
  readonly shape: string;
}

/** Objects of a database by identity: class and oid, for columns the number too. */
export type Identities = ReadonlyMap<string, Identified>;

/** What was there before the migration, by its identity in the database of after. */
export interface Lineage {
  /** False: the two databases have no common history, so that what was renamed looks new. */
  readonly known: boolean;
  readonly identities: Identities;
}

/** What holds rows or values, or gives them their form. */
const holding = new Set<Identified["kind"]>(["table", "materialized view", "sequence", "column", "type"]);

export async function readIdentities(session: Session): Promise<Identities> {
  const rows = await session.sql<(Identified & { identity: string })[]>`
    with own as (
      select oid, nspname::text as schema from pg_catalog.pg_namespace
      where nspname not in ('pg_catalog', 'information_schema', 'belay') and nspname !~ '^pg_'
    ), relation as (
      select c.oid, c.relkind, c.relname::text as name, schema,
        case when c.relkind in ('r', 'p', 'f') then 'table' when c.relkind in ('i', 'I') then 'index'
          else (array['sequence', 'materialized view', 'view', 'type'])[strpos('Smvc', c.relkind::text)] end as kind
      from pg_catalog.pg_class c join own n on n.oid = c.relnamespace
    )
    select 'n' || oid as identity, 'schema' as kind, schema, null as relation, schema as name, '' as shape
    from own where schema <> 'public'
    union all
    select 'c' || r.oid, r.kind, schema, null, name, coalesce(
      (select 'c' || d.refobjid from pg_catalog.pg_depend d where r.kind = 'sequence' and d.refobjsubid > 0
        and d.classid = 'pg_catalog.pg_class'::regclass and d.objid = r.oid and d.deptype in ('a', 'i')),
      (select string_agg(format('%s %s', a.attname, a.atttypid), ',' order by a.attname)
        from pg_catalog.pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped), '')
    from relation r where r.kind <> 'type'
      and not exists (select from pg_catalog.pg_constraint k where k.conindid = r.oid and k.contype in ('p', 'u', 'x'))
    union all
    select format('%s.%s', r.oid, a.attnum), 'column', schema, r.name, a.attname, format('%I.%I %s', schema, r.name, a.atttypid)
    from relation r join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    where r.kind = 'table'
    union all
    select 'k' || k.oid, 'constraint', schema, r.name, k.conname, ''
    from relation r join pg_catalog.pg_constraint k on k.conrelid = r.oid
    where r.kind = 'table' and k.conislocal and k.contype <> 'n' and k.conparentid = 0
    union all
    select 't' || t.oid, 'type', schema, null, t.typname,
      coalesce((select string_agg(e.enumlabel, ',' order by e.enumsortorder)
        from pg_catalog.pg_enum e where e.enumtypid = t.oid), t.typtype::text)
    from pg_catalog.pg_type t join own n on n.oid = t.typnamespace where t.typtype in ('e', 'd', 'r')`;
  return new Map(rows.map(({ identity, ...identified }) => [identity, identified]));
}

/** For people: `table public.a`, `column public.a.b`. */
export function label({ kind, schema, relation, name }: Identified): string {
  if (kind === "schema") return `schema ${quoteIdent(name)}`;
  const parts = relation === null ? [schema, name] : [schema, relation, name];
  return `${kind} ${parts.map(quoteIdent).join(".")}`;
}

/**
 * The identities of before the migration in the database of after it: those of `before` where one database is a copy of
 * the other (or both were built alike), else found by name.
 */
export function lineage(before: Identities, after: Identities): Lineage {
  const shared = [...before].filter(([identity]) => after.has(identity));
  const alike = shared.every(([identity, { kind }]) => after.get(identity)!.kind === kind);
  if (before.size === 0 || (shared.length > 0 && alike)) return { known: true, identities: before };
  const names = new Set([...before.values()].map(label));
  return { known: false, identities: new Map([...after].filter(([, one]) => names.has(label(one)))) };
}

/**
 * What was there before the migration and outlived it, but would not outlive the proposal: its rows would be lost.
 * Where the lineage is not known, what goes while its like is made anew under another name counts too.
 */
export function lostSurvivors(before: Lineage, after: Identities, proposed: Identities): string[] {
  const gone = [...after].filter(([identity, { kind }]) => holding.has(kind) && !proposed.has(identity));
  const lost = gone.filter(([identity]) => before.identities.has(identity)).map(([, one]) => label(one));
  if (before.known) return lost;
  const made = [...proposed].filter(([identity]) => !after.has(identity)).map(([, { kind, shape }]) => kind + shape);
  const doubtful = gone.filter(
    ([identity, { kind, shape }]) => !before.identities.has(identity) && made.includes(kind + shape),
  );
  return [...lost, ...doubtful.map(([, one]) => label(one))];
}

/** Tables and columns that the migration made and the proposal keeps under another name, in the place of what was there before. */
export function renamedStrays(before: Lineage, after: Identities, proposed: Identities): string[] {
  if (!before.known) return [];
  return [...after].flatMap(([identity, one]) => {
    const kept = proposed.get(identity);
    if (before.identities.has(identity) || kept === undefined) return [];
    if ((one.kind !== "table" && one.kind !== "column") || kept.name === one.name) return [];
    return [`${label(one)}, which the migration made, would become ${label(kept)}`];
  });
}
