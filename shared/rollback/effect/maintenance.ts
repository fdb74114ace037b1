import type { LockMode } from "./lock-modes.ts";
import { findRangeVar } from "./resolve.ts";
import { change, lock, lockForRows, type Place, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, rangeName } from "./sql-nodes.ts";

/** Statements that change no object and no row: nothing is told of them (PostgreSQL manual, per command). */
const harmless = new Set([
  "CheckPointStmt",
  "ClosePortalStmt",
  "DeallocateStmt",
  "DeclareCursorStmt",
  "FetchStmt",
  "ListenStmt",
  "NotifyStmt",
  "UnlistenStmt",
]);

/** ANALYZE, CLUSTER, REINDEX and REFRESH lock and rewrite, and lose nothing. False for other statements. */
export function maintenance(simulation: Simulation, kind: string, body: Node, at: Place): boolean {
  if (kind === "VacuumStmt") analyze(simulation, body, at);
  else if (kind === "ClusterStmt") cluster(simulation, body, at);
  else if (kind === "ReindexStmt") reindex(simulation, body, at);
  else if (kind === "RefreshMatViewStmt") refresh(simulation, body, at);
  else return harmless.has(kind) || (kind === "DiscardStmt" && body.target !== "DISCARD_ALL");
  return true;
}

function analyze(simulation: Simulation, body: Node, at: Place): void {
  for (const each of nodes(body.rels)) {
    const range = (each.VacuumRelation as Node | undefined)?.relation as Node | undefined;
    onTable(simulation, range, "SHARE UPDATE EXCLUSIVE", "ANALYZE reads it", at);
  }
}

/** The rows stay, in other places; the index is remembered as the one to order by. */
function cluster(simulation: Simulation, body: Node, at: Place): void {
  const table = onTable(simulation, body.relation as Node | undefined, "ACCESS EXCLUSIVE", "CLUSTER rewrites it", at);
  if (table === null) return;
  lockForRows(simulation, table.objid, "ACCESS EXCLUSIVE", "CLUSTER rewrites it");
  if (body.indexname === undefined) return;
  for (const index of simulation.byFamily.get("relation") ?? [])
    if (index.other === table.objid && "iI".includes(index.sub))
      change(simulation, index, "whether the table is clustered by it");
}

function reindex(simulation: Simulation, body: Node, at: Place): void {
  const range = body.relation as Node | undefined;
  if (body.kind === "REINDEX_OBJECT_INDEX") {
    const index = findRangeVar(simulation, range);
    if (index === null) absent(simulation, range, at);
    else lock(simulation, index.other, "SHARE", `its index ${index.name} is built anew`);
  } else onTable(simulation, range, "SHARE", "its indexes are built anew", at);
}

function refresh(simulation: Simulation, body: Node, at: Place): void {
  const mode = body.concurrent === true ? "EXCLUSIVE" : "ACCESS EXCLUSIVE";
  const why = "its contents are computed again";
  const view = onTable(simulation, body.relation as Node, mode, why, at);
  if (view !== null) lockForRows(simulation, view.objid, mode, why);
}

function onTable(
  simulation: Simulation,
  range: Node | undefined,
  mode: LockMode,
  because: string,
  at: Place,
): SimulatedObject | null {
  if (range === undefined) return null;
  const table = findRangeVar(simulation, range);
  if (table === null) absent(simulation, range, at);
  else lock(simulation, table.objid, mode, because);
  return table;
}

function absent(simulation: Simulation, range: Node | undefined, at: Place): void {
  simulation.failures.push({ ...at, why: `${rangeName(range)} is not there` });
}
