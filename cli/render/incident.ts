import type { Incident } from "../../shared/rollback/incident/types.ts";
import { count, mark, moment, paint } from "../terminal.ts";
import { printable } from "./printable.ts";
import { hang, table } from "./wrap.ts";

/** The incident report for a terminal; gates, agreements and objects are in --markdown and --json. */
export function renderIncident(incident: Incident, width: number): string[] {
  const field = (name: string, text: string | null) =>
    text === null ? [] : hang(`  ${name.padEnd(10)}`, printable(text), width);
  const { archive, error, plan, undo, criticalSectionMs } = incident;
  return [
    ...hang("", paint("bold", printable(incident.summary)), width),
    ...field(incident.kind === "undo" ? "Undo" : "Rollback", incident.rollbackId),
    ...field("Who", incident.actor),
    ...field("Why", incident.reason),
    ...field(
      "When",
      `${moment(incident.startedAt)} to ${incident.finishedAt === null ? "?" : moment(incident.finishedAt)}`,
    ),
    ...field("Database", incident.database.name),
    ...field("Risk", plan === null ? null : `${plan.risk}: ${plan.riskReasons.join("; ")}`),
    ...field("Error", error === null ? null : `[${error.code}] ${error.message}`),
    ...field(
      "Archive",
      archive === null ? null : `${archive.id} in ${archive.store}, verified ${moment(archive.verifiedAt)}`,
    ),
    ...field("Locks", criticalSectionMs === null ? null : `held ${Math.round(criticalSectionMs)} ms`),
    ...renderLoss(incident),
    "",
    ...renderTimeline(incident, width),
    ...incident.notes.flatMap((note) => hang("  note: ", printable(note), width)),
    ...(undo.undone === null
      ? []
      : [
          `  Undone ${moment(undo.undone.at)} by ${printable(undo.undone.actor)}: belay incident ${undo.undone.rollbackId}`,
        ]),
    ...(undo.command === null ? [] : [`  To undo: ${undo.command}`]),
  ];
}

function renderLoss({ loss, kind }: Incident): string[] {
  const rows = [
    ...loss.tables.map(({ name, rows }) => [name, count(rows, "row")]),
    ...loss.columns.map(({ name, columns, rows }) => [`${name} (${columns.join(", ")})`, count(rows, "row")]),
  ];
  if (rows.length === 0) return [];
  const cells = rows.map((row) => row.map(printable));
  return table([kind === "undo" ? "came back" : "went", "rows"], cells).map((line) => `  ${line}`);
}

function renderTimeline({ timeline }: Incident, width: number): string[] {
  const rows = timeline.map(({ at, event, state, evidence }) => [
    `${at.replace("T", " ").slice(0, 23)}Z`,
    `${state === "failed" ? mark.no() : state === "skipped" ? mark.open() : mark.yes()} ${event.replaceAll("_", " ")}`,
    printable(evidence),
  ]);
  return table(["time", "what", ""], rows, width - 2).map((line) => `  ${line}`);
}
