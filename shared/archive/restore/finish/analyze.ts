import { databaseError } from "../../../postgres/errors.ts";
import type { Session } from "../../../postgres/session.ts";

const perQuery = 20;

/** Gathers the planner's statistics of every table and materialised view, on all sessions at once, the largest first. */
export async function analyzeAll(sessions: readonly Session[]): Promise<void> {
  const [first] = sessions;
  // A partitioned table's ANALYZE goes over its partitions: they are not asked for besides, or the two would lock each other.
  const rows = await first!.sql<{ name: string; small: boolean }[]>`
    select format('%I.%I', n.nspname, c.relname) as name, c.relkind <> 'p' and c.relpages < 1000 as small
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'p') and not c.relispartition and n.nspname <> 'information_schema'
      and n.nspname !~ '^pg_' and n.nspname <> 'belay_restore' and c.relispopulated
    order by c.relkind = 'p' desc, pg_catalog.pg_relation_size(c.oid) desc`;
  const queries: string[] = [];
  const open: string[] = [];
  for (const { name, small } of rows) {
    if (!small) queries.push(`ANALYZE ${name}`);
    else open.push(`ANALYZE ${name}`);
  }
  // One by one in a query each would wait for the server 2,000 times.
  for (let at = 0; at < open.length; at += perQuery) queries.push(open.slice(at, at + perQuery).join(";"));
  let next = 0;
  const work = async (session: Session) => {
    while (next < queries.length) await session.run(queries[next++]!);
  };
  try {
    await Promise.all(sessions.map(work));
  } catch (error) {
    throw databaseError(error, { doing: "gathering statistics" });
  }
}
