import type { Sql } from "./postgres/session.ts";

/**
 * The role that Supabase Auth holds for a user now, which may have changed since the token was issued.
 * `not_kept`: this database has no auth.users. `gone`: the user is deleted or banned.
 */
export async function currentUserRole(sql: Sql, subject: string): Promise<string | null | "not_kept" | "gone"> {
  const [kept] = await sql`
    select count(*)::int as columns
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'auth' and c.relname = 'users' and not a.attisdropped
      and a.attname in ('raw_app_meta_data', 'banned_until', 'deleted_at')`;
  if (kept!.columns !== 3) return "not_kept";
  const [user] = await sql`
    select raw_app_meta_data ->> 'role' as role,
      deleted_at is not null or coalesce(banned_until > now(), false) as gone
    from auth.users where id::text = ${subject}`;
  if (user === undefined || user.gone) return "gone";
  return user.role;
}
