import type { KindContext } from "./kind.ts";

/** One row of pg_depend, columns folded into their relation: `from` needs `to`, both as `classid/objid/0`. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly type: string;
}

const shared = new WeakMap<KindContext, Promise<readonly Edge[]>>();

/** What needs what among the objects of this database, and which schema they are in; read once per context. */
export function readEdges(context: KindContext): Promise<readonly Edge[]> {
  let edges = shared.get(context);
  if (edges === undefined) {
    edges = queryEdges(context);
    shared.set(context, edges);
  }
  return edges;
}

// One text, not a row for each: tens of thousands of rows cost the driver more than the server.
async function queryEdges({ session, reach }: KindContext): Promise<readonly Edge[]> {
  if (reach !== null) return reach.edges;
  const rows = await session.sql<{ edges: string | null }[]>`
    select string_agg(concat(classid, '/', objid, '/0 ', refclassid, '/', refobjid, '/0 ', deptype), E'\n') as edges
    from (
      select distinct classid, objid, refclassid, refobjid,
        -- An operator of an index is part of its class or family, however weakly it hangs on what it names too.
        case when classid in ('pg_catalog.pg_amop'::regclass, 'pg_catalog.pg_amproc'::regclass)
          and refclassid not in ('pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_opfamily'::regclass)
          then 'n' else deptype end as deptype
      from pg_catalog.pg_depend
      where objid >= 16384 and deptype <> 'p'
        and (refobjid >= 16384 or refclassid = 'pg_catalog.pg_namespace'::regclass)
        and (classid, objid) is distinct from (refclassid, refobjid)
    ) d`;
  return parseEdges(rows[0]!.edges);
}

/** Edges from lines `from to type`. */
export function parseEdges(text: string | null): readonly Edge[] {
  if (text === null) return [];
  return text.split("\n").map((line) => {
    const [from, to, type] = line.split(" ") as [string, string, string];
    return { from, to, type };
  });
}

const grouped = new WeakMap<readonly Edge[], ReadonlyMap<string, readonly Edge[]>>();

/** The edges by where they start; computed once for a list. */
export function edgesFrom(edges: readonly Edge[]): ReadonlyMap<string, readonly Edge[]> {
  let map = grouped.get(edges);
  if (map === undefined) {
    map = Map.groupBy(edges, ({ from }) => from);
    grouped.set(edges, map);
  }
  return map;
}
