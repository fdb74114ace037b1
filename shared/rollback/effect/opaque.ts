import type { Node } from "./sql-nodes.ts";

/** Why a statement's effect cannot be told from its text. */
export function opaqueReason(kind: string, body: Node): string {
  switch (kind) {
    case "DoStmt":
      return `what a DO block does shows only when it runs${ownStatement(body)}`;
    case "SelectStmt":
      return "a query can call functions that write";
    case "CallStmt":
      return `what a procedure does shows only when it runs${ownStatement(body)}`;
    case "ExecuteStmt":
    case "PrepareStmt":
      return `a prepared statement is not looked into${ownStatement(body)}`;
    case "GrantRoleStmt":
    case "CreateRoleStmt":
    case "AlterRoleStmt":
    case "DropRoleStmt":
    case "DropOwnedStmt":
    case "ReassignOwnedStmt":
      return "roles and what they own reach beyond this database";
    case "SecLabelStmt":
      return "what a security label does is its provider's to say";
    case "AlterDefaultPrivilegesStmt":
      return "default privileges are changed";
    case "CopyStmt":
      return body.is_program === true ? "COPY runs a program on the server" : "COPY writes a file on the server";
    default:
      return `the effect of ${kind.replace(/Stmt$/, "")} cannot be told from its text`;
  }
}

/** What would make it plain, where the block holds a statement that could stand alone. */
function ownStatement(body: Node): string {
  const found = /\b(drop|alter|truncate|delete|update)\b/i.exec(JSON.stringify(body));
  return found === null
    ? ""
    : `; its ${found[1]!.toUpperCase()}, written as a statement of its own, could be planned, locked and archived`;
}
