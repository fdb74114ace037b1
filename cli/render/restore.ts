import type { RestoreReport } from "../../shared/archive/restore/types.ts";
import { bytes, count, mark } from "../terminal.ts";
import { hang } from "./wrap.ts";

/** What a restore did, for people. */
export function renderRestore(report: RestoreReport, { width }: { width: number }): string[] {
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
  const total = report.phases.reduce((sum, phase) => sum + phase.milliseconds, 0);
  const speed = report.megabytesPerSecond === null ? "" : ` at ${report.megabytesPerSecond.toFixed(1)} MB/s`;
  return [
    `${mark.yes()} Restored ${report.archive} into ${report.database}${report.resumed ? ", from where it was cut off" : ""}`,
    `  ${count(report.tables, "table")}, ${count(report.rows, "row")}, ${bytes(report.bytes)} of rows${speed}; ${count(report.entries, "entry", "entries")}`,
    `  ${seconds(total)}: ${report.phases.map(({ name, milliseconds }) => `${name} ${seconds(milliseconds)}`).join(", ")}`,
    ...report.warnings.flatMap((warning) => hang("  note: ", warning, width)),
  ];
}
