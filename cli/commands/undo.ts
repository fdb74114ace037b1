import { BelayError } from "../../shared/errors.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import type { Command, Invocation } from "../command.ts";
import { exit } from "../exit.ts";
import { renderReport } from "../render/report.ts";

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export const undo: Command = {
  name: "undo",
  summary: "put back what a rollback destroyed: objects, rows, sequences, ledger",
  usage: "ROLLBACK|MIGRATION",
  flags: { reason: { type: "string" }, yes: { type: "boolean", short: "y" } },
  help: [
    ["--reason TEXT", "why, for the record (asked for on a terminal)"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, terminal, belay } = invocation;
    const target = words[0]!;
    const reason = await agree(target, invocation);
    if (reason === null) return exit.failed;
    const which = uuid.test(target) ? { rollbackId: target } : { migration: target };
    const report = await undoRollback(belay, { ...which, reason });
    terminal.settle();
    if (terminal.json) terminal.document(report);
    for (const line of renderReport(report, terminal)) terminal.line(line);
    return exit.done;
  },
};

async function agree(target: string, { flags, terminal }: Invocation): Promise<string | null> {
  const given = typeof flags.reason === "string" ? flags.reason.trim() : "";
  if (flags.yes !== true && !terminal.interactive)
    throw new BelayError("usage", "not on a terminal, so nothing is asked and nothing was changed", {
      hint: 'Pass --yes --reason "...".',
    });
  const reason = given !== "" || flags.yes === true ? given : await terminal.ask("Why is this undone?");
  if (reason === "") throw new BelayError("usage", "an undo needs a reason", { hint: 'Pass --reason "...".' });
  if (flags.yes === true || (await terminal.confirm(`Undo ${target}?`))) return reason;
  terminal.line("Nothing was changed.");
  return null;
}
