import { quoteLiteral } from "../../catalog/identifiers.ts";
import type { Tracking } from "../tracking/tables.ts";
import type { RepairEvidence, RepairWay } from "./types.ts";

/** The tool's own command that makes its table say the same as the ledger; Belay does not touch it. */
export function toolNotes(
  tool: RepairEvidence["tool"],
  tracking: Tracking | null,
  way: RepairWay,
  migration: { readonly name: string; readonly version: string; readonly previous: string | null },
): string[] {
  if (tool === null || tracking === null) return [];
  const applied = way === "applied";
  if (tool.recorded === applied && !tool.dirty) return [];
  const says = tool.dirty
    ? "says that it is half applied"
    : tool.recorded
      ? "says that it is applied"
      : "does not have it";
  return [`${tool.table} ${says}: ${command(tool.name, tool.table, applied, migration)}`];
}

function command(
  tool: string,
  table: string,
  applied: boolean,
  { name, version, previous }: { name: string; version: string; previous: string | null },
): string {
  const value = quoteLiteral(version);
  switch (tool) {
    case "golang-migrate":
      return applied ? `run \`migrate force ${version}\`` : `run \`migrate force ${previous ?? -1}\``;
    case "supabase":
      return `run \`supabase migration repair --status ${applied ? "applied" : "reverted"} ${version}\``;
    case "prisma":
      return `run \`prisma migrate resolve --${applied ? "applied" : "rolled-back"} ${name}\``;
    case "flyway":
      return applied ? "run `flyway repair`, then `flyway migrate`" : "run `flyway repair`";
    case "goose":
      return applied
        ? `run: insert into ${table} (version_id, is_applied) values (${version}, true);`
        : `run: delete from ${table} where version_id = ${version};`;
    case "sql-migrate":
      return applied
        ? "run `sql-migrate skip`"
        : `run: delete from ${table} where id = ${quoteLiteral(`${name}.sql`)};`;
    default:
      return applied
        ? `run: insert into ${table} (version) values (${value});`
        : `run: delete from ${table} where version = ${value};`;
  }
}
