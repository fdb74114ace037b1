import type { FullRestoreReport, RunbookPlan, StepOutcome, TableToday } from "../../recovery/types.ts";
import { bytes, count, mark, moment, paint } from "../terminal.ts";
import { table } from "./wrap.ts";

/** The plan of a full restore for a person: which backup, how old, the steps, and how long they take. */
export function renderRunbook(plan: RunbookPlan, width: number): string[] {
  const steps = plan.steps.map((step, index) => [
    String(index + 1),
    step.what,
    (step.expectedSeconds === null ? step.basis : duration(step.expectedSeconds)) + (step.downtime ? ", downtime" : ""),
  ]);
  return [
    paint("bold", `Full restore of ${plan.live} from ${plan.archiveId}`),
    `  The backup is of ${moment(plan.snapshotAt)}, ${duration(plan.ageSeconds)} ago. What was written since is not in it.`,
    plan.sameServer
      ? `  The copy is ${plan.restored}; after the switch ${plan.live} of today is ${plan.aside}.`
      : "  The copy is made on the other server.",
    "",
    ...table(["", "step", "expected"], steps, width).map((line) => `  ${line}`),
    `  Measured steps together: ${duration(sum(plan.steps))}, of which downtime: ${duration(sum(plan.steps.filter(({ downtime }) => downtime)))}.`,
    "",
    ...plan.notes.map((note) => `  note: ${note}`),
  ];
}

function sum(steps: RunbookPlan["steps"]): number {
  return steps.reduce((total, { expectedSeconds }) => total + (expectedSeconds ?? 0), 0);
}

/** One line for a step that ended. */
export function renderOutcome({ name, state, seconds, evidence }: StepOutcome): string {
  const sign = state === "done" ? mark.yes() : state === "failed" ? mark.no() : mark.open();
  return `${sign} ${name.replaceAll("_", " ")} (${duration(seconds)}): ${evidence}`;
}

/** Tables that changed since the backup, with their rows then and now. */
export function renderChangedTables(tables: readonly TableToday[], width: number): string[] {
  const rows = tables
    .filter(({ same }) => !same)
    .map(({ schema, table, rowsThen, rowsNow }) => [
      `${schema}.${table}`,
      rowsThen === null ? "not there" : count(rowsThen, "row"),
      rowsNow === null ? "gone" : count(rowsNow, "row"),
    ]);
  return rows.length === 0
    ? []
    : table(["changed since", "in the backup", "today"], rows, width).map((line) => `    ${line}`);
}

/** How it ended, where everything is, and how to go back. */
export function renderFullRestore(report: FullRestoreReport): string[] {
  const lines = [""];
  if (report.switched) lines.push(`${mark.yes()} ${report.plan.live} is the restored database.`);
  else if (report.outcomes.some(({ state }) => state === "by_hand"))
    lines.push(`${mark.open()} The restored database is ready; point the application to it.`);
  else lines.push(`${mark.no()} ${report.plan.live} is as it was: nothing was switched.`);
  if (report.downtimeSeconds !== null) lines.push(`  Writers were stopped for ${duration(report.downtimeSeconds)}.`);
  if (report.todaysArchive !== null) lines.push(`  The state before is in the archive ${report.todaysArchive}.`);
  const files = report.newerRows?.tables
    .flatMap((one) => [one.files.new, one.files.changed])
    .filter((file) => file !== null);
  if (files !== undefined && files.length > 0)
    lines.push(
      `  Rows that the backup lacks: ${count(files.length, "file")}, ${bytes(files.reduce((sum, file) => sum + file.bytes, 0))}, in newer-rows/${report.id}/ of the store; its README.txt says how to load them.`,
    );
  if (report.newerRows !== null && report.newerRows.goneSince.length > 0)
    lines.push(`  Tables that were dropped since the backup and are back: ${report.newerRows.goneSince.join(", ")}`);
  if (report.switchBack.length > 0)
    lines.push(
      "  To go back, end the application's sessions, connect to another database of the server and run:",
      ...report.switchBack.map((sql) => `    ${sql}`),
      `  When all is well and nobody needs it any more: DROP DATABASE ${report.plan.aside};`,
    );
  for (const warning of report.warnings) lines.push(`  warning: ${warning}`);
  return lines;
}

export function duration(seconds: number): string {
  if (seconds < 1) return "under 1 s";
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
