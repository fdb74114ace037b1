import type { Session } from "../../postgres/session.ts";

/** All descendants (partitions and inheritance children) of each table that has any, by oid. */
export async function readPartitions(session: Session): Promise<Map<number, number[]>> {
  const rows = await session.sql`
    with recursive tree (root, child) as (
      select inhparent, inhrelid from pg_inherits
      union
      select tree.root, i.inhrelid from tree join pg_inherits i on i.inhparent = tree.child
    )
    select root::int8::text as root, array_agg(child::int8::text) as children
      from tree join pg_class c on c.oid = root and c.relkind in ('r', 'p')
     group by root`;
  return new Map(rows.map((row) => [Number(row.root), (row.children as string[]).map(Number)]));
}
