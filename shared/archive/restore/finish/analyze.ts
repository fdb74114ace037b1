import { databaseError, sqlStateOf } from "../../../postgres/errors.ts";
import type { Session } from "../../../postgres/session.ts";

const perQuery = 20;

/**
 * Gathers the planner's statistics of every table and materialised view, on all sessions at once, the largest first.
 * Returns in words those that could not be had; throws when the connection or the server's room is gone.
 */
export async function analyzeAll(sessions: readonly Session[]): Promise<string[]> {
  const [first] = sessions;
  // A partitioned table's ANALYZE goes over its partitions: they are not asked for besides, or the two would lock each
  // other. That of a table above foreign ones would go to their servers.
  const rows = await first!.sql<{ name: string; small: boolean; foreign: boolean }[]>`
    with recursive above (oid) as (
      select inhparent from pg_catalog.pg_inherits join pg_catalog.pg_class c on c.oid = inhrelid where c.relkind = 'f'
      union select inhparent from above join pg_catalog.pg_inherits on inhrelid = above.oid
    )
    select format('%I.%I', n.nspname, c.relname) as name, c.relkind <> 'p' and c.relpages < 1000 as small,
      c.oid in (select oid from above) as foreign
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm', 'p') and n.nspname <> 'information_schema'
      and (not c.relispartition or exists (
        select from pg_catalog.pg_inherits join above on oid = inhparent where inhrelid = c.oid))
      and n.nspname !~ '^pg_' and n.nspname <> 'belay_restore' and c.relispopulated
    order by c.relkind = 'p' desc, pg_catalog.pg_relation_size(c.oid) desc`;
  const own = rows.filter(({ foreign }) => !foreign);
  const queries = own.filter(({ small }) => !small).map(({ name }) => [name]);
  const open = own.filter(({ small }) => small).map(({ name }) => name);
  // One by one in a query each would wait for the server 2,000 times.
  for (let at = 0; at < open.length; at += perQuery) queries.push(open.slice(at, at + perQuery));
  const without = rows
    .filter(({ foreign }) => foreign)
    .map(({ name }) => `no statistics for the planner were gathered of ${name}: there are foreign tables below it`);
  let next = 0;
  const work = async (session: Session) => {
    while (next < queries.length) without.push(...(await analyze(session, queries[next++]!)));
  };
  await Promise.all(sessions.map(work));
  return without;
}

/** Tables of one query; when it fails, each by itself, so that only the one that fails has none. */
async function analyze(session: Session, names: readonly string[]): Promise<string[]> {
  try {
    await session.run(names.map((name) => `ANALYZE ${name}`).join(";"));
    return [];
  } catch (error) {
    if (!isOfTable(error)) throw databaseError(error, { doing: "gathering statistics" });
    if (names.length === 1)
      return [
        `no statistics for the planner were gathered of ${names[0]} (SQLSTATE ${sqlStateOf(error)}): run ANALYZE`,
      ];
    const each: string[] = [];
    for (const name of names) each.push(...(await analyze(session, [name])));
    return each;
  }
}

/** An expression of an index or of statistics that fails, for example; not the connection, the disk or a shutdown. */
function isOfTable(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !/^(08|53|57|58|XX)/.test(state);
}
