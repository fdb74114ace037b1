import { databaseDrift } from "../../shared/migrations/drift/database-drift.ts";
import type { Drift } from "../../shared/migrations/drift/types.ts";
import { countRows, filterRows, type StatusCounts } from "../../shared/migrations/ledger/filter.ts";
import { listMigrations, type MigrationRow } from "../../shared/migrations/ledger/status.ts";
import { listed } from "../../shared/words.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { printable } from "../render/printable.ts";
import { hang, table } from "../render/wrap.ts";
import { count, mark, moment, paint } from "../terminal.ts";

export const list: Command = {
  name: "list",
  aliases: ["status"],
  summary: "migrations: applied or not, whether each can be rolled back, and what blocks it",
  usage: "",
  flags: { since: { type: "string" }, missing: { type: "boolean" }, "rolled-back": { type: "boolean" } },
  help: [
    ["--since WHEN", "only migrations applied since a version, a date (2025-01-20) or a duration (36h, 7d)"],
    ["--missing", "only migrations without rollback SQL"],
    ["--rolled-back", "only migrations that were rolled back"],
  ],
  words: { min: 0, max: 0 },
  problems: "all",
  run: async ({ flags, terminal, belay, folderIfAny }) => {
    const all = await listMigrations(belay, await folderIfAny());
    const part = Boolean(flags.missing ?? flags["rolled-back"]);
    const drift = part ? null : await databaseDrift(belay);
    const filter = {
      missing: flags.missing === true,
      rolledBack: flags["rolled-back"] === true,
      ...(typeof flags.since === "string" ? { since: flags.since } : {}),
    };
    const rows = filterRows(all, filter, belay.now());
    const counts = countRows(rows);
    if (terminal.json) terminal.document({ migrations: rows, ...counts, all: countRows(all) });
    const header = [
      "migration",
      "status",
      "can roll back",
      "applied at",
      "has rollback",
      "snapshots",
      "blocking reason",
    ];
    if (rows.length > 0) {
      for (const line of table(header, rows.map(cells), terminal.width)) terminal.line(line);
      terminal.line();
    }
    for (const line of hang("", totalOf(counts, all.length), terminal.width)) terminal.line(line);
    for (const line of driftLines(drift, terminal.width)) terminal.line(line);
    return exit.done;
  },
};

function driftLines(drift: Drift | null, width: number): string[] {
  if (drift === null || drift.comparedWith === null || drift.objects.length === 0) return [];
  const names = drift.objects.map(({ what, difference }) => `${printable(what)} (${difference})`);
  const text = `the database differs from the last snapshot in ${count(names.length, "object")}: ${listed(names, 5)}`;
  return hang(`${mark.open()} `, text, width);
}

function totalOf(counts: StatusCounts, all: number): string {
  const kinds = [
    [counts.applied, "applied"],
    [counts.rolledBack, "rolled back"],
    [counts.failed, "half applied"],
    [counts.pending, "pending"],
    [counts.missing, "without rollback SQL"],
  ] as const;
  const words = kinds.flatMap(([number, word]) => (number > 0 ? [`${number} ${word}`] : []));
  const total = counts.total === all ? `Total: ${all}` : `Total: ${counts.total} of ${all}`;
  if (counts.total === 0) return all === 0 ? "No migrations yet." : `None of ${count(all, "migration")}.`;
  const kindsOf = words.length > 0 ? ` (${words.join(", ")})` : "";
  return `${total}${kindsOf}. By ledger and syntax ${counts.rollbackable} can be rolled back; belay check looks at the database too.`;
}

function cells(row: MigrationRow): string[] {
  const { before, after } = row.snapshots;
  return [
    row.migration,
    row.status,
    row.canRollBack ? `${mark.yes()} yes` : `${mark.no()} no`,
    moment(row.appliedAt),
    row.hasRollback ? mark.yes() : mark.no(),
    before && after ? "before, after" : before ? "before" : after ? "after" : paint("dim", "none"),
    [blocking(row), ...(row.drift.length > 0 ? [`file differs: ${row.drift.join(", ")}`] : [])].join("; "),
  ];
}

/** One line; `belay check` and --json name every dependent. */
function blocking(row: MigrationRow): string {
  if (row.blockingReason === null) return "-";
  const [first, ...others] = row.dependents;
  if (first === undefined) return row.blockingReason;
  return others.length === 0 ? `${first} depends on it` : `${first} and ${others.length} more depend on it`;
}
