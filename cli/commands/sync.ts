import { type SyncReport, syncMigrations } from "../../shared/migrations/sync/sync.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { problemLines } from "../folder-problems.ts";
import { renderChange } from "../render/change.ts";
import { renderDrift } from "../render/drift.ts";
import { hang } from "../render/wrap.ts";
import { count, mark, paint } from "../terminal.ts";

export const sync: Command = {
  name: "sync",
  summary: "bring the ledger in step with the files and with what your tool applied",
  usage: "",
  flags: { "applied-to": { type: "string" }, replay: { type: "boolean" }, "no-replay": { type: "boolean" } },
  help: [
    ["--applied-to VERSION", "this migration and all before it are applied (when no tracking table says so)"],
    ["--replay", "replay all migrations on the scratch server for their snapshots"],
    ["--no-replay", "never replay"],
  ],
  words: { min: 0, max: 0 },
  problems: "own",
  run: async ({ flags, terminal, belay, folder }) => {
    const appliedTo = typeof flags["applied-to"] === "string" ? flags["applied-to"] : undefined;
    const replay = flags.replay === true ? true : flags["no-replay"] === true ? false : undefined;
    const report = await syncMigrations(belay, await folder(), { appliedTo, replay });
    terminal.settle();
    if (terminal.json) terminal.document(report);
    for (const line of renderSync(report, terminal.width)) terminal.line(line);
    const broken = report.problems.some((problem) => problem.severity === "error");
    return broken || report.blocked.length > 0 ? exit.failed : exit.done;
  },
};

function renderSync(report: SyncReport, width: number): string[] {
  const { registered, skipped, snapshots, dependencies } = report;
  return [
    ...registered.map(
      (one) =>
        `${mark.yes()} ${one.migration}  ${one.hasRollback ? "rollback SQL stored" : paint("yellow", "no rollback SQL")}`,
    ),
    ...report.changed.flatMap((change) =>
      renderChange(change).map((line, index) => (index === 0 ? `${mark.no()} ${line}` : `    ${line}`)),
    ),
    ...report.pending.map((name) => `${mark.open()} ${name}  not applied`),
    ...report.problems.flatMap((problem) => problemLines(problem, width)),
    ...(report.blocked.length > 0
      ? hang(`${mark.no()} `, `left out because of an error: ${report.blocked.join(", ")}`, width)
      : []),
    "",
    `Sync: ${count(registered.length, "registered", "registered")}, ${skipped.length} unchanged, ${report.pending.length} not applied, ${report.changed.length} changed`,
    `Tracking table: ${report.tracking === null ? "none" : `${report.tracking.schema}.${report.tracking.table} (${report.tracking.tool})`}`,
    `Snapshots stored: ${snapshots.length} (${snapshots.filter((one) => one.origin === "replayed").length} replayed)`,
    `Dependencies: ${dependencies.declared} declared, ${dependencies.found} found in the catalog`,
    ...renderReplay(report, width),
    ...renderBefore(report, width),
    ...renderOwnDrift(report, width),
    ...report.notes.flatMap((note) => hang("note: ", note, width)),
  ];
}

function renderReplay({ replay }: SyncReport, width: number): string[] {
  if (replay.state === "not_needed") return [];
  const sign = replay.state === "equal" ? mark.yes() : mark.open();
  return [
    ...hang(`${sign} Replay: `, replay.message, width),
    ...replay.differences.map((difference) => `    ${difference}`),
  ];
}

function renderBefore({ before }: SyncReport, width: number): string[] {
  if (before === null) return [];
  const sign = before.state === "confirmed" ? mark.yes() : mark.open();
  return [...hang(`${sign} State before: `, before.message, width), ...before.strangers.map((key) => `    ${key}`)];
}

function renderOwnDrift({ drift }: SyncReport, width: number): string[] {
  if (drift === null || drift.objects.length === 0) return [];
  const name = drift.comparedWith?.migration ?? "MIGRATION";
  const how = `to take this in as known: select belay.create_migration_snapshot('${name.replaceAll("'", "''")}', 'why'), then belay sync`;
  return [...renderDrift(drift, { width, texts: false }), ...hang("  → ", how, width)];
}
