import { keptPrefix } from "../../catalog/kept-schemas.ts";
import type { Session } from "../../postgres/session.ts";

/** A table or type that a DROP takes, as far as its kind's catalog tells whether it may be moved. */
export interface PreserveFacts {
  /** Name of the private schema: unused, and the same whenever the same rollback is planned again. */
  readonly base: string;
  /** Roles to which new schemas of this role are open by default privileges. */
  readonly grantees: readonly string[];
  readonly mayCreateSchema: boolean;
  /** Oids of tables and types that this role may alter. */
  readonly ours: ReadonlySet<number>;
  readonly publications: readonly { readonly table: number; readonly publication: string; readonly ours: boolean }[];
  readonly parents: readonly TableParent[];
}

/** A parent of a table, by inheritance or as a partition. */
export interface TableParent {
  readonly child: number;
  readonly parent: number;
  readonly schema: string;
  readonly name: string;
  readonly partition: boolean;
  /** Inherited columns or constraints that are not the child's own: off its parent they become its own for good. */
  readonly inherits: boolean;
}

/** Reads what moving these tables and types needs. Sets nothing. */
export async function readPreserveFacts(
  session: Session,
  migration: { readonly name: string; readonly version: string },
  oids: readonly number[],
): Promise<PreserveFacts> {
  const all = oids.map(String);
  const [row] = await session.sql`
    select
      (select count(*)::int from belay.rollbacks
        where kind = 'rollback' and migration_name = ${migration.name} and outcome in ('committed', 'undone')) as number,
      array(select nspname::text from pg_namespace where starts_with(nspname, ${keptPrefix})) as taken,
      has_database_privilege(current_database(), 'create') as creates,
      array(select distinct a.grantee::regrole::text
              from pg_default_acl d, aclexplode(d.defaclacl) a
             where d.defaclobjtype = 'n' and pg_has_role(d.defaclrole, 'usage') and a.grantee <> 0
               and a.grantee <> (select oid from pg_roles where rolname = current_user)) as grantees,
      array(select c.oid::int8::float8 from pg_class c where c.oid = any(${all}::text[]::oid[]) and pg_has_role(c.relowner, 'usage')
            union all
            select t.oid::int8::float8 from pg_type t where t.oid = any(${all}::text[]::oid[]) and pg_has_role(t.typowner, 'usage')) as ours,
      (select coalesce(json_agg(json_build_object('table', r.prrelid::int8, 'publication', p.pubname, 'ours', pg_has_role(p.pubowner, 'usage'))
                       order by r.oid), '[]')
         from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
        where r.prrelid = any(${all}::text[]::oid[])) as publications,
      (select coalesce(json_agg(json_build_object('child', i.inhrelid::int8, 'parent', i.inhparent::int8, 'partition', c.relispartition,
                                                  'schema', n.nspname, 'name', p.relname,
                                                  'inherits', exists (select from pg_attribute where attrelid = c.oid and attnum > 0 and not attislocal)
                                                           or exists (select from pg_constraint where conrelid = c.oid and not conislocal))
                       order by i.inhrelid, i.inhseqno), '[]')
         from pg_inherits i join pg_class c on c.oid = i.inhrelid
         join pg_class p on p.oid = i.inhparent join pg_namespace n on n.oid = p.relnamespace
        where i.inhrelid = any(${all}::text[]::oid[])) as parents`;
  return {
    base: unusedName(migration.version, row!.number + 1, row!.taken),
    grantees: row!.grantees,
    mayCreateSchema: row!.creates,
    ours: new Set(row!.ours),
    publications: row!.publications,
    parents: row!.parents,
  };
}

const longestVersion = 36;

/** `belay_kept_20250102_1`: the number is that of the migration's rollback, or the next one that is free. */
export function unusedName(version: string, number: number, taken: readonly string[]): string {
  const words = version
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .slice(0, longestVersion);
  const free = (name: string) => !taken.some((each) => each === name || each.startsWith(`${name}_`));
  for (let next = number; ; next++) {
    const name = `${keptPrefix}${words}_${next}`;
    if (free(name)) return name;
  }
}

/** The private schema for what comes of the n-th schema (from 0). */
export function nthSchema(base: string, n: number): string {
  return n === 0 ? base : `${base}_s${n + 1}`;
}
