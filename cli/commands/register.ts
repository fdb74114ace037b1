import { registerMigration } from "../../shared/migrations/ledger/register.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { renderChange } from "../render/change.ts";
import { count, mark } from "../terminal.ts";

const outcomeWords = {
  registered: "registered",
  applied_again: "registered as applied again",
  unchanged: "is registered and unchanged",
  revised: "registered as a new revision",
  changed: "differs from the ledger, which keeps the old text",
} as const;

export const register: Command = {
  name: "register",
  summary: "put an applied migration and its rollback SQL in the ledger, with a snapshot",
  usage: "MIGRATION",
  flags: { accept: { type: "boolean" } },
  help: [["--accept", "let the ledger follow a changed file, as a new revision with who and when"]],
  words: { min: 1, max: 1 },
  run: async ({ words, flags, terminal, belay, folder }) => {
    const report = await registerMigration(belay, await folder(), words[0]!, { acceptRevision: flags.accept === true });
    terminal.settle();
    if (terminal.json) terminal.document(report);
    terminal.line(
      `${report.outcome === "changed" ? mark.no() : mark.yes()} ${report.migration} ${outcomeWords[report.outcome]}`,
    );
    terminal.line(
      `  Rollback SQL  ${report.hasRollback ? `${mark.yes()} stored in the ledger` : `${mark.no()} none; see: belay template ${report.migration}`}`,
    );
    terminal.line(`  Snapshots     ${count(report.snapshots.length, "stored", "stored")}`);
    if (report.change !== null) for (const line of renderChange(report.change)) terminal.line(`  ${line}`);
    return report.outcome === "changed" ? exit.blocked : exit.done;
  },
};
