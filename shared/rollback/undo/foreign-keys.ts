import { quoteIdent } from "../../catalog/identifiers.ts";
import type { Session } from "../../postgres/session.ts";

/**
 * Takes off the foreign keys that lead from or to the tables, so that rows may be loaded in any order, and answers the
 * statements that add them again: those check every row, which a disabled trigger would not. Keys of tables that our role
 * does not own (a platform's) stay.
 */
export async function foreignKeysOff(session: Session, oids: readonly number[]): Promise<string[]> {
  if (oids.length === 0) return [];
  const keys = await session.sql`
    with recursive touching as (
      select oid, conparentid from pg_constraint
       where contype = 'f' and (conrelid = any(${oids.map(String)}::text[]::oid[]) or confrelid = any(${oids.map(String)}::text[]::oid[]))
      union
      select c.oid, c.conparentid from pg_constraint c join touching t on c.oid = t.conparentid
    )
    select c.conname as name, format('%I.%I', n.nspname, t.relname) as table_name, pg_get_constraintdef(c.oid) as definition,
           obj_description(c.oid, 'pg_constraint') as comment
      from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
     where c.contype = 'f' and c.conparentid = 0 and c.oid in (select oid from touching)
       and pg_has_role(t.relowner, 'USAGE')`;
  for (const key of keys) await session.run(`alter table ${key.table_name} drop constraint ${quoteIdent(key.name)}`);
  return keys.flatMap((key) => [
    `alter table ${key.table_name} add constraint ${quoteIdent(key.name)} ${key.definition}`,
    ...(key.comment === null
      ? []
      : [
          `comment on constraint ${quoteIdent(key.name)} on ${key.table_name} is '${key.comment.replaceAll("'", "''")}'`,
        ]),
  ]);
}
