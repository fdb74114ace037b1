import { restartSequences } from "./alter-sequence.ts";
import { refuseOwnRecords } from "./destroy.ts";
import { reachByDelete, reachByTruncate, reachByUpdate } from "./foreign-key-reach.ts";
import type { LockMode } from "./lock-modes.ts";
import { descendants, findColumn, findRangeVar, relatives } from "./resolve.ts";
import { lockForRows, type Place, type RowWrite, type SimulatedObject, type Simulation } from "./simulation.ts";
import { type Node, nodes, rangeName } from "./sql-nodes.ts";

const verbs: Readonly<Record<string, RowWrite["verb"]>> = {
  InsertStmt: "insert",
  UpdateStmt: "update",
  DeleteStmt: "delete",
  MergeStmt: "merge",
};

const writes: Record<string, string> = {
  InsertStmt: "adds rows to",
  UpdateStmt: "changes rows of",
  DeleteStmt: "deletes rows of",
  MergeStmt: "changes rows of",
};

/** INSERT, UPDATE, DELETE, MERGE, TRUNCATE and COPY FROM: which rows is known only when it runs. False for other statements. */
export function rowStatement(simulation: Simulation, kind: string, body: Node, at: Place): boolean {
  const verb = writes[kind];
  if (verb !== undefined) write(simulation, kind, body, verb, at);
  else if (kind === "TruncateStmt") truncate(simulation, body, at);
  else if (kind === "CopyStmt" && body.is_from === true) copy(simulation, body, at);
  else if (kind === "LockStmt") lockTables(simulation, body);
  else return false;
  return true;
}

function write(simulation: Simulation, kind: string, body: Node, verb: string, at: Place): void {
  const table = note(simulation, body.relation as Node, verb, at);
  if (table === null) return;
  noteWrite(simulation, table, verbs[kind]!, body, body.relation as Node, at);
  const actions = kind === "MergeStmt" ? nodes(body.mergeWhenClauses).map((each) => each.MergeWhenClause as Node) : [];
  const deletes = kind === "DeleteStmt" || actions.some((each) => each.commandType === "CMD_DELETE");
  if (deletes) reachByDelete(simulation, table);
  const targets = [...(kind === "UpdateStmt" ? nodes(body.targetList) : []), ...updatesOf(actions)];
  const names = targets.map((each) => (each.ResTarget as Node).name as string);
  const numbers = names.flatMap((name) => findColumn(simulation, table, name)?.number ?? []);
  if (numbers.length > 0) reachByUpdate(simulation, table, numbers);
}

function updatesOf(actions: readonly Node[]): Node[] {
  return actions.flatMap((each) => (each.commandType === "CMD_UPDATE" ? nodes(each.targetList) : []));
}

function copy(simulation: Simulation, body: Node, at: Place): void {
  const table = note(simulation, body.relation as Node, "loads rows into", at);
  if (table !== null) noteWrite(simulation, table, "copy", body, body.relation as Node, at);
}

function noteWrite(
  simulation: Simulation,
  table: SimulatedObject,
  verb: RowWrite["verb"],
  node: Node,
  range: Node,
  at: Place,
): void {
  const { current } = simulation;
  const values = ((node.selectStmt as Node | undefined)?.SelectStmt as Node | undefined)?.valuesLists;
  simulation.writes.push({
    ...at,
    oid: table.objid,
    verb,
    node,
    text: current.node === node ? current.text : null,
    alias: ((range.alias as Node | undefined)?.aliasname as string | undefined) ?? null,
    only: range.inh !== true,
    tuples: verb === "insert" && Array.isArray(values) ? values.length : null,
  });
}

function truncate(simulation: Simulation, body: Node, at: Place): void {
  for (const each of nodes(body.relations)) {
    const table = note(simulation, each.RangeVar as Node, "empties", at, "ACCESS EXCLUSIVE");
    if (table === null) continue;
    noteWrite(simulation, table, "truncate", body, each.RangeVar as Node, at);
    const cascaded = body.behavior === "DROP_CASCADE" ? reachByTruncate(simulation, table) : [];
    if (body.restart_seqs === true)
      for (const emptied of [table, ...relatives(simulation, table), ...cascaded])
        restartSequences(simulation, emptied);
  }
}

function lockTables(simulation: Simulation, body: Node): void {
  for (const each of nodes(body.relations)) {
    const table = findRangeVar(simulation, each.RangeVar as Node);
    if (table !== null) lockForRows(simulation, table.objid, "ACCESS EXCLUSIVE", "LOCK TABLE");
  }
}

function isCatalog({ schemaname, relname }: Node): boolean {
  return schemaname === "pg_catalog" || (schemaname === undefined && (relname as string).startsWith("pg_"));
}

function note(
  simulation: Simulation,
  range: Node,
  verb: string,
  at: Place,
  mode: LockMode = "ROW EXCLUSIVE",
): SimulatedObject | null {
  const table = findRangeVar(simulation, range);
  if (table === null) {
    if (isCatalog(range))
      simulation.unsupported.push({
        ...at,
        why: `it ${verb} the system catalog ${rangeName(range)} itself, which no rollback's archive holds`,
      });
    else simulation.failures.push({ ...at, why: `table ${rangeName(range)} is not there` });
    return null;
  }
  if (table.created) return null;
  refuseOwnRecords(simulation, table, at);
  for (const oid of [table.objid, ...descendants(simulation, table.objid)])
    lockForRows(simulation, oid, mode, `the SQL ${verb} it`);
  simulation.opaque.push({
    ...at,
    why: `${verb} ${table.schema}.${table.name}: which rows is known only when it runs, and its triggers may do more`,
  });
  return table;
}
