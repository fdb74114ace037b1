import { listMigrations, type MigrationRow } from "../../shared/migrations/status.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { table } from "../render/wrap.ts";
import { mark, moment, paint } from "../terminal.ts";

export const list: Command = {
  name: "list",
  aliases: ["status"],
  summary: "migrations: applied or not, whether each can be rolled back, and what blocks it",
  usage: "",
  flags: { missing: { type: "boolean" }, "rolled-back": { type: "boolean" } },
  help: [
    ["--missing", "only migrations without rollback SQL"],
    ["--rolled-back", "only migrations that were rolled back"],
  ],
  words: { min: 0, max: 0 },
  problems: "all",
  run: async ({ flags, terminal, belay, folderIfAny }) => {
    const all = await listMigrations(belay, await folderIfAny());
    const rows = all.filter(
      (row) => (!flags.missing || !row.hasRollback) && (!flags["rolled-back"] || row.status === "rolled_back"),
    );
    const rollbackable = rows.filter((row) => row.canRollBack).length;
    if (terminal.json) terminal.document({ migrations: rows, total: rows.length, rollbackable });
    const header = [
      "migration",
      "status",
      "can roll back",
      "applied at",
      "has rollback",
      "snapshots",
      "blocking reason",
    ];
    for (const line of table(header, rows.map(cells), terminal.width)) terminal.line(line);
    terminal.line();
    terminal.line(
      `Total: ${rows.length}. By ledger and syntax ${rollbackable} can be rolled back; belay check looks at the database too.`,
    );
    return exit.done;
  },
};

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
