import { listed, plural } from "../../words.ts";
import type { HealthResult } from "../hooks/types.ts";
import { code, markdownTable, plain } from "./markdown-text.ts";
import type { Incident } from "./types.ts";

/** The incident report as Markdown, to paste into a post-mortem. */
export function incidentMarkdown(incident: Incident): string {
  const { kind, migrations } = incident;
  const title = `${kind === "undo" ? "Undo of the rollback" : "Rollback"} of ${plain(listed(migrations, 3))}`;
  const parts = [
    [`# ${title}`],
    [`**${plain(incident.summary)}**`],
    facts(incident),
    section("Timeline", timeline(incident)),
    section(kind === "undo" ? "What came back" : "What went", loss(incident)),
    section("Health checks", health(incident)),
    section("Hooks and messages", hooks(incident)),
    section("Who agreed", agreements(incident)),
    section("Gates", folded(gateWords(incident), gates(incident))),
    section("Checklist", checklist(incident)),
    section(
      "What happens next, and notes",
      incident.notes.map((note) => `- ${plain(note)}`),
    ),
    section("How to undo", undo(incident)),
    [`Written ${time(incident.writtenAt)} UTC by Belay. No row values are in this report.`],
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join("\n"))
    .join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, "", ...lines];
}

/** Shown when it is opened. */
function folded(summary: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`<details><summary>${summary}</summary>`, "", ...lines, "", "</details>"];
}

/** Gates that the policy asked for, or that were waived. */
function shownGates({ gates }: Incident): Incident["gates"] {
  return gates.filter(({ requirement, state }) => requirement !== "off" || state === "waived");
}

function gateWords(incident: Incident): string {
  const gates = shownGates(incident);
  const states = [...new Set(gates.map(({ state }) => state))];
  return states
    .map((state) => `${gates.filter((gate) => gate.state === state).length} ${state.replaceAll("_", " ")}`)
    .join(", ");
}

function facts(incident: Incident): string[] {
  const { plan, database, archive, error, around } = incident;
  const { finishedAt } = incident;
  const rows: [string, string][] = [
    ["Outcome", `**${incident.outcome}**`],
    ...(error === null ? [] : [["Error", `${code(error.code)} ${plain(error.message)}`] as [string, string]]),
    ...(error?.hint == null ? [] : [["What to do", plain(error.hint)] as [string, string]]),
    ["Who", plain(incident.actor)],
    ["Why", plain(incident.reason)],
    ["Began (UTC)", time(incident.startedAt)],
    ["Ended (UTC)", finishedAt === null ? "not on record" : `${time(finishedAt)}, after ${lasted(incident)}`],
    [
      "Database",
      `${code(database.name)} on PostgreSQL ${plain(database.serverVersion)}, system ${database.systemIdentifier}`,
    ],
    ["Migrations", incident.migrations.map(code).join("<br>")],
    ...(plan === null ? [] : [["Risk", `${plan.risk}: ${plain(plan.riskReasons.join("; "))}`] as [string, string]]),
    ...(incident.criticalSectionMs === null
      ? []
      : [["Locks held", `${incident.criticalSectionMs} ms, from the SQL's first lock to COMMIT`] as [string, string]]),
    ...(incident.endState === null ? [] : [["End state", endState(incident)] as [string, string]]),
    ...(archive === null
      ? []
      : [
          ["Archive", `${code(archive.id)} in ${code(archive.store)}`] as [string, string],
          [
            "Archive verified",
            `${time(archive.verifiedAt)}, every byte read back: ${plural(archive.rows, "row")}, ${plural(archive.bytes, "byte")}; manifest sha256 ${code(archive.manifestSha256)}`,
          ] as [string, string],
        ]),
    ...(around?.maintenance == null ? [] : [["Maintenance", plain(around.maintenance.evidence)] as [string, string]]),
    [incident.kind === "undo" ? "Undo" : "Rollback", code(incident.rollbackId)],
    ...(incident.undoes === null ? [] : [["Undoes", code(incident.undoes)] as [string, string]]),
    ...(plan === null
      ? []
      : [["Plan", `${code(plan.hash)}, by policy ${code(plan.policyDigest)}`] as [string, string]]),
  ];
  return markdownTable(["", ""], rows);
}

function endState({ endState, kind }: Incident): string {
  if (endState === "as_before") return kind === "undo" ? "as before the rollback" : "as before the migration";
  return endState === "waived" ? "not as before: waived" : "unknown: no snapshot to compare with";
}

const eventWords: Readonly<Record<string, string>> = {
  intent: "on record",
  locked: "tables locked, plan compared",
  archived: "archive written and read back",
  sql: "rollback SQL ran",
  guarded: "guard and end state passed",
  committed: "committed",
  failed: "failed; everything was put back",
  undone: "undone",
  health_before: "health check before",
  health_after: "health check after",
  hook_before: "before hook",
  hook_after: "after hook",
  maintenance_on: "maintenance on",
  maintenance_off: "maintenance off",
  notice_started: "message: started",
  notice_done: "message: done",
  notice_failed: "message: failed",
  notice_undone: "message: undone",
  settled: "settled by a later run",
};

function timeline({ timeline, kind, archive, outcome }: Incident): string[] {
  const first = timeline[0]?.at;
  const words = (event: string) => {
    if (event === "archived" && archive === null)
      return outcome === "committed" ? "nothing had to be archived" : "archive step done";
    return kind === "undo" && event === "sql" ? "put back" : (eventWords[event] ?? event.replaceAll("_", " "));
  };
  return markdownTable(
    ["Time (UTC)", "After", "What", ""],
    timeline.map(({ at, event, state, evidence }) => [
      time(at, true),
      first === undefined ? "" : seconds(Date.parse(at) - Date.parse(first)),
      `${state === "failed" ? "**✗** " : state === "skipped" ? "– " : ""}${plain(words(event))}`,
      plain(evidence),
    ]),
  );
}

function loss({ loss, outcome, kind }: Incident): string[] {
  if (outcome !== "committed" && outcome !== "undone")
    return [outcome === "failed" ? "Nothing: the database is as it was before." : "Not known."];
  const { tables, columns, sequences, objects } = loss;
  const rows = [
    ...tables.map(({ name, rows }) => ["table", code(name), rows.toLocaleString("en-US")]),
    ...columns.map((each) => [
      "columns",
      code(`${each.name} (${each.columns.join(", ")})`),
      each.rows.toLocaleString("en-US"),
    ]),
    ...sequences.map(({ name, lastValue }) => ["sequence", code(name), `at ${lastValue}`]),
  ];
  const counts = `${plural(objects.destroyed, "object")} destroyed, ${objects.changed} changed, ${objects.created} created.`;
  const none = kind === "undo" ? "No rows were to be put back." : "No row was lost.";
  const table =
    rows.length === 0
      ? [none]
      : markdownTable(["Kind", "Name", kind === "undo" ? "Rows" : "Rows, all in the archive"], rows);
  const total = objects.destroyed + objects.changed + objects.created;
  const more = total > objects.named.length ? [`- and ${total - objects.named.length} more`] : [];
  const named = objects.named.map(({ key, change }) => `- ${change}: ${code(key)}`);
  return total === 0 ? table : [...table, "", ...folded(counts, [...named, ...more])];
}

function health({ around }: Incident): string[] {
  if (around === null || around.health.before.length === 0) return [];
  const { before, after } = around.health;
  const said = (result: HealthResult | undefined) =>
    result === undefined ? "not asked" : `${result.healthy ? "✓" : "**✗**"} ${plain(result.evidence)}`;
  return markdownTable(
    ["Check", "Before", "After"],
    before.map((each) => [plain(each.name), said(each), said(after.find(({ name }) => name === each.name))]),
  );
}

function hooks({ around }: Incident): string[] {
  if (around === null) return [];
  const sign = (state: string) => (state === "taken" ? "✓" : "**✗**");
  return markdownTable(
    ["What", "Address", "Result"],
    [
      ...around.hooks.map((each) => [
        `${each.hook} hook`,
        plain(each.address),
        `${sign(each.state)} ${plain(each.evidence)}, ${plural(each.attempts, "attempt")}, ${each.milliseconds} ms`,
      ]),
      ...around.notices.map((each) => [
        `message: ${each.about}`,
        plain(each.address),
        `${sign(each.state)} ${plain(each.evidence)}`,
      ]),
    ],
  );
}

function agreements({ agreements }: Incident): string[] {
  return markdownTable(
    ["Who", "What", "Why", "When (UTC)"],
    agreements.map(({ actor, decision, gate, reason, at, databaseRole }) => [
      `${plain(actor)} (database role ${code(databaseRole)})`,
      gate === null ? decision : `${decision} the gate ${gate}`,
      plain(reason),
      time(at),
    ]),
  );
}

function gates(incident: Incident): string[] {
  return markdownTable(
    ["Gate", "State", "Asked", "Evidence"],
    shownGates(incident).map(({ name, state, requirement, evidence, waiver }) => [
      name,
      state === "failed" ? "**failed**" : state.replaceAll("_", " "),
      requirement.replaceAll("_", " "),
      `${plain(evidence)}${waiver === null ? "" : `; waived by ${plain(waiver.by)}${waiver.reason === null ? "" : `: ${plain(waiver.reason)}`}`}`,
    ]),
  );
}

function checklist({ checklist }: Incident): string[] {
  return checklist.map(
    ({ question, answer, evidence }) =>
      `- [${answer === "yes" ? "x" : " "}] ${plain(question)} **${answer}**: ${plain(evidence)}`,
  );
}

function undo({ undo, kind, outcome }: Incident): string[] {
  if (undo.undone !== null)
    return [
      `Undone ${time(undo.undone.at)} UTC by ${plain(undo.undone.actor)} (${code(undo.undone.rollbackId)}): ${plain(undo.undone.reason)}`,
    ];
  if (undo.command === null)
    return kind === "undo" && outcome === "committed" ? ["Roll back again: plan it anew with `belay check`."] : [];
  return [
    "```sh",
    undo.command,
    "```",
    "",
    "By hand:",
    "",
    ...undo.byHand.map((step, index) => `${index + 1}. ${plain(step)}`),
  ];
}

function lasted({ startedAt, finishedAt }: Incident): string {
  return seconds(Date.parse(finishedAt!) - Date.parse(startedAt));
}

function seconds(milliseconds: number): string {
  const total = Math.max(0, milliseconds) / 1000;
  if (total < 120) return `${total.toFixed(total < 10 ? 2 : 1)} s`;
  return `${Math.floor(total / 60)} min ${Math.round(total % 60)} s`;
}

function time(iso: string, fractions = false): string {
  const text = new Date(iso).toISOString().replace("T", " ");
  return fractions ? text.slice(0, -1) : text.slice(0, 19);
}
