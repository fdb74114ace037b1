import { rangeName } from "./alter.ts";
import { descendants, findRangeVar } from "./resolve.ts";
import { lock, type Remark, refuseOwnRecords, type Simulation } from "./simulation.ts";
import { type Node, nodes } from "./sql-nodes.ts";

type Place = Pick<Remark, "line" | "statement">;

const writes: Record<string, string> = {
  InsertStmt: "adds rows to",
  UpdateStmt: "changes rows of",
  DeleteStmt: "deletes rows of",
  MergeStmt: "changes rows of",
};

/** INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY FROM and REFRESH: which rows is known only when it runs. False for other statements. */
export function dmlStatement(simulation: Simulation, kind: string, body: Node, at: Place): boolean {
  const verb = writes[kind];
  if (verb !== undefined) {
    note(simulation, body.relation as Node, verb, "ROW EXCLUSIVE", at);
    return true;
  }
  if (kind === "TruncateStmt") {
    for (const each of nodes(body.relations))
      note(simulation, each.RangeVar as Node, "empties", "ACCESS EXCLUSIVE", at);
    return true;
  }
  if (kind === "CopyStmt" && body.is_from === true) {
    note(simulation, body.relation as Node, "loads rows into", "ROW EXCLUSIVE", at);
    return true;
  }
  if (kind === "RefreshMatViewStmt") {
    note(simulation, body.relation as Node, "computes again", "ACCESS EXCLUSIVE", at);
    return true;
  }
  if (kind === "LockStmt") {
    for (const each of nodes(body.relations)) {
      const table = findRangeVar(simulation, each.RangeVar as Node);
      if (table !== null) lock(simulation, table.objid, "ACCESS EXCLUSIVE", "LOCK TABLE");
    }
    return true;
  }
  return false;
}

function note(
  simulation: Simulation,
  range: Node,
  verb: string,
  mode: "ROW EXCLUSIVE" | "ACCESS EXCLUSIVE",
  at: Place,
): void {
  const table = findRangeVar(simulation, range);
  if (table === null) {
    simulation.failures.push({ ...at, why: `table ${rangeName(range)} is not there` });
    return;
  }
  if (table.created) return;
  refuseOwnRecords(simulation, table, at);
  for (const oid of [table.objid, ...descendants(simulation, table.objid)])
    lock(simulation, oid, mode, `the SQL ${verb} it`);
  simulation.opaque.push({
    ...at,
    why: `${verb} ${table.schema}.${table.name}: which rows is known only when it runs, and its triggers may do more`,
  });
}

/** Why a statement's effect cannot be told from its text. */
export function opaqueReason(kind: string, body: Node): string {
  switch (kind) {
    case "DoStmt":
      return "a DO block can do anything";
    case "SelectStmt":
      return "a query can call functions that write";
    case "CallStmt":
      return "a procedure can do anything";
    case "ExecuteStmt":
    case "PrepareStmt":
      return "a prepared statement is not looked into";
    case "GrantRoleStmt":
    case "CreateRoleStmt":
    case "AlterRoleStmt":
    case "DropRoleStmt":
    case "DropOwnedStmt":
    case "ReassignOwnedStmt":
      return "roles and what they own reach beyond this database";
    case "AlterDefaultPrivilegesStmt":
      return "default privileges are changed";
    case "CopyStmt":
      return body.is_program === true ? "COPY runs a program on the server" : "COPY writes a file on the server";
    default:
      return `the effect of ${kind.replace(/Stmt$/, "")} cannot be told from its text`;
  }
}
