import type { Session } from "../../postgres/session.ts";
import type { DependencyGraph } from "./dependency-graph.ts";
import { readGraphReach } from "./graph-reach.ts";
import { readPartOfGraph, readWholeGraph } from "./graph-rows.ts";
import type { GraphScope } from "./graph-scope.ts";

/** Reads what SQL can name in this database and what hangs on what; with `scope`, as far as it matters to that. Sets nothing. */
export async function readDependencyGraph(session: Session, scope?: GraphScope): Promise<DependencyGraph> {
  const reach = scope === undefined ? null : await readGraphReach(session, scope);
  return reach === null ? readWholeGraph(session) : readPartOfGraph(session, reach);
}
