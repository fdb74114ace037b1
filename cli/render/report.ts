import type { RollbackReport } from "../../shared/rollback/types.ts";
import { count, mark, paint, table } from "../terminal.ts";

/** What a rollback or an undo did, for people. */
export function renderReport(report: RollbackReport): string[] {
  const done = report.kind === "undo" ? "Undone" : "Rolled back";
  const tables = report.tables.map((one) => [`${one.schema}.${one.table}`, count(one.rows, "row"), one.digest]);
  const columns = report.columns.map((one) => [
    `${one.schema}.${one.table} (${one.columns.join(", ")})`,
    count(one.rows, "row"),
    "",
  ]);
  const rows = [...tables, ...columns];
  return [
    `${mark.yes()} ${done}: ${paint("bold", report.migration)}`,
    `  Rollback  ${report.rollbackId}`,
    `  Archive   ${report.archiveId ?? "none: nothing was lost"}`,
    `  End state ${report.endState === "as_before" ? "as before the migration" : "unknown: no snapshot to compare with"}`,
    `  Locks     ${report.criticalSectionMs === null ? "-" : `${Math.round(report.criticalSectionMs)} ms from the first lock of the SQL to COMMIT`}`,
    ...(rows.length > 0
      ? table([report.kind === "undo" ? "put back" : "archived", "rows", "digest"], rows).map((line) => `  ${line}`)
      : []),
    ...report.notes.map((note) => `  ${paint("dim", `note: ${note}`)}`),
    ...(report.kind === "rollback" ? [`  To undo: belay undo ${report.rollbackId} --reason "..."`] : []),
  ];
}
