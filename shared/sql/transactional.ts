import type { SqlNode, Statement } from "./parse.ts";

/** Why a statement cannot run inside a transaction (PostgreSQL manual, per command), or null when it can. */
export function whyNotTransactional(statement: Statement): string | null {
  const { kind, node } = statement;
  if (kind === "TransactionStmt") return "it controls the transaction, and a rollback runs as one transaction";
  if (kind === "VacuumStmt") return node.is_vacuumcmd === true ? "VACUUM cannot run in a transaction" : null;
  if (kind === "ClusterStmt")
    return node.relation === undefined ? "CLUSTER of all tables cannot run in a transaction" : null;
  if (kind === "ReindexStmt") return reindex(node);
  if (kind === "DiscardStmt") return node.target === "DISCARD_ALL" ? "DISCARD ALL cannot run in a transaction" : null;
  if (kind === "AlterDatabaseStmt")
    return hasOption(node.options, "tablespace") ? "moving a database cannot run in a transaction" : null;
  if (kind === "VariableSetStmt")
    return node.name === "TRANSACTION" ? "it controls the transaction, and a rollback runs as one transaction" : null;
  if (kind === "CopyStmt")
    return node.is_from === true && node.filename === undefined ? "COPY FROM STDIN has no data here" : null;
  return never[kind] ?? null;
}

const never: Readonly<Record<string, string>> = {
  AlterSystemStmt: "ALTER SYSTEM cannot run in a transaction",
  CreatedbStmt: "CREATE DATABASE cannot run in a transaction",
  DropdbStmt: "DROP DATABASE cannot run in a transaction",
  AlterDatabaseRefreshCollStmt: "ALTER DATABASE ... REFRESH COLLATION VERSION is not part of a migration's rollback",
  CreateTableSpaceStmt: "CREATE TABLESPACE cannot run in a transaction",
  DropTableSpaceStmt: "DROP TABLESPACE cannot run in a transaction",
  CreateSubscriptionStmt: "CREATE SUBSCRIPTION makes a replication slot on another server",
  DropSubscriptionStmt: "DROP SUBSCRIPTION drops a replication slot on another server",
  AlterSubscriptionStmt: "ALTER SUBSCRIPTION can reach another server",
};

function reindex(node: SqlNode): string | null {
  const kind = String(node.kind);
  const whole = ["REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"].includes(kind);
  return whole ? `REINDEX ${kind.replace("REINDEX_OBJECT_", "")} cannot run in a transaction` : null;
}

function hasOption(options: unknown, name: string): boolean {
  return Array.isArray(options) && options.some((option) => option?.DefElem?.defname === name);
}
