import type postgres from "postgres";

/** Rows and a sum over each row's text, per table: plain SQL, apart from Belay's own digests. */
export type Picture = Readonly<Record<string, { readonly rows: number; readonly digest: string }>>;

/** What the shop holds, table by table, and where its sequences stand. */
export async function photograph(sql: postgres.Sql): Promise<Picture> {
  const tables = await sql`
    select c.oid::regclass::text as name, c.relkind = 'S' as is_sequence
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'S') and n.nspname in ('public', 'reporting')
    order by 1`;
  const picture: Record<string, { rows: number; digest: string }> = {};
  for (const { name, is_sequence } of tables) {
    const text = is_sequence
      ? `select 1 as rows, last_value || ' ' || is_called as digest from ${name}`
      : `select count(*)::int as rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text as digest from ${name} t`;
    const [row] = await sql.unsafe(text);
    picture[name] = { rows: row!.rows, digest: row!.digest };
  }
  return picture;
}

export function totals(picture: Picture): { tables: number; rows: number } {
  const tables = Object.entries(picture).filter(([name]) => !name.endsWith("_seq"));
  return { tables: tables.length, rows: tables.reduce((sum, [, { rows }]) => sum + rows, 0) };
}
