import type { Around, HealthResult } from "../../shared/rollback/hooks/types.ts";
import type { Ran } from "../../shared/rollback/incident/types.ts";
import { mark, paint } from "../terminal.ts";
import { printable } from "./printable.ts";
import { hang } from "./wrap.ts";

/** What was done around a rollback or an undo, and where its incident report lies; failing health checks are loud. */
export function renderAround({ around, policyUndo: undone, incident, rollbackId }: Ran, width: number): string[] {
  const line = (good: boolean, text: string) => hang(`  ${good ? mark.yes() : mark.no()} `, printable(text), width);
  return [
    ...(around.maintenance === null
      ? []
      : line(around.maintenance.used, `maintenance: ${around.maintenance.evidence}`)),
    ...around.hooks.flatMap((each) =>
      line(each.state === "taken", `${each.hook} hook, ${each.address}: ${each.evidence}`),
    ),
    ...around.notices.flatMap((each) =>
      each.state === "taken" ? [] : line(false, `message to ${each.address}: ${each.evidence}`),
    ),
    ...renderHealth(around.health, width),
    ...(undone === null
      ? []
      : hang(
          `  ${undone.outcome === "committed" ? mark.yes() : mark.no()} `,
          paint("bold", undoneWords(undone)),
          width,
        )),
    ...incident.notes.flatMap((note) => hang("  note: ", printable(note), width)),
    `  Incident report: belay incident ${rollbackId}`,
  ];
}

function undoneWords({ outcome, rollbackId, evidence }: NonNullable<Ran["policyUndo"]>): string {
  return outcome === "committed"
    ? `UNDONE (${rollbackId}): ${printable(evidence)}`
    : `NOT UNDONE: ${printable(evidence)}`;
}

function renderHealth({ verdict, before, after }: Around["health"], width: number): string[] {
  if (verdict === "not_asked" || verdict === "not_reached") return [];
  if (verdict === "healthy") return [`  ${mark.yes()} healthy: ${after.map(({ name }) => printable(name)).join(", ")}`];
  const wasHealthy = (name: string) => before.some((each) => each.name === name && each.healthy);
  const words = ({ name, evidence }: HealthResult) =>
    wasHealthy(name)
      ? paint("red", `UNHEALTHY since the rollback: ${printable(`${name}: ${evidence}`)}`)
      : printable(`unhealthy, as it was before: ${name}: ${evidence}`);
  return after
    .filter(({ healthy }) => !healthy)
    .flatMap((each) => hang(`  ${wasHealthy(each.name) ? mark.no() : mark.open()} `, words(each), width));
}
