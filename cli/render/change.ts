import type { MigrationChange } from "../../shared/migrations/ledger/record.ts";
import { paint } from "../terminal.ts";

/** How a file differs from the ledger, and what to do about it. */
export function renderChange(change: MigrationChange): string[] {
  const rollbackChanged = change.parts.includes("rollback");
  return [
    `${change.migration}: ${change.parts.join(" and ")} changed since revision ${change.revision}`,
    ...(rollbackChanged
      ? [...marked("-", change.oldRollbackSql, "red"), ...marked("+", change.newRollbackSql, "green")]
      : []),
    change.accepted ? "accepted as a new revision" : `keep it with: belay register ${change.migration} --accept`,
  ];
}

function marked(sign: string, sql: string | null, style: "red" | "green"): string[] {
  if (sql === null) return [];
  return sql
    .trim()
    .split("\n")
    .map((line) => paint(style, `${sign} ${line}`));
}
