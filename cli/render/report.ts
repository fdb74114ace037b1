import type { RollbackReport } from "../../shared/rollback/types.ts";
import { count, mark, paint } from "../terminal.ts";
import { renderPreserved } from "./preserved.ts";
import { hang, table } from "./wrap.ts";

function named({ migration, migrations = [migration] }: RollbackReport): string {
  return migrations.join(", ");
}

function lockLines({ criticalSectionMs, lockedMs }: RollbackReport): string[] {
  const section = criticalSectionMs === null ? [] : [`${span(criticalSectionMs)} from the SQL's first lock to COMMIT`];
  const writers = typeof lockedMs === "number" ? [`writers waited ${span(lockedMs)} at most`] : [];
  const told = [...section, ...writers];
  return [`  Locks     ${told.length === 0 ? "-" : told.join("; ")}`];
}

function span(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}

function titleOf({ kind, outcome }: RollbackReport): string {
  if (kind === "undo") return "Undone";
  return outcome === "undone" ? "Rolled back, and undone again" : "Rolled back";
}

/** What a rollback or an undo did, for people. */
export function renderReport(report: RollbackReport, { width }: { width: number }): string[] {
  const undo = report.kind === "undo";
  const before = undo ? "the rollback" : "the migration";
  const tables = report.tables.map((one) => [`${one.schema}.${one.table}`, count(one.rows, "row"), one.digest]);
  const columns = report.columns.map((one) => [
    `${one.schema}.${one.table} (${one.columns.join(", ")})`,
    count(one.rows, "row"),
    "",
  ]);
  const rows = [...tables, ...columns];
  return [
    `${report.outcome === "undone" ? mark.no() : mark.yes()} ${titleOf(report)}: ${paint("bold", named(report))}`,
    `  ${undo ? "Undo    " : "Rollback"}  ${report.rollbackId}`,
    `  Archive   ${report.archiveId ?? (undo ? "none: nothing was replaced" : "none: nothing was lost")}`,
    ...(report.undone === undefined
      ? []
      : [
          `  Of        rollback ${report.undone.rollbackId}${report.undone.archiveId === null ? "" : `, rows from ${report.undone.archiveId}`}`,
        ]),
    `  End state ${report.endState === "as_before" ? `as before ${before}` : report.endState === "waived" ? "not as before: waived" : "unknown: no snapshot to compare with"}`,
    ...lockLines(report),
    ...(rows.length > 0
      ? table([undo ? "put back" : "archived", "rows", "digest"], rows).map((line) => `  ${line}`)
      : []),
    ...renderPreserved(report, width),
    ...report.notes.flatMap((note) => hang("  note: ", note, width)),
    ...(!undo && report.outcome !== "undone" ? [`  To undo: belay undo ${report.rollbackId} --reason "..."`] : []),
  ];
}
