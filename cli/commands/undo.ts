import { BelayError } from "../../shared/errors.ts";
import { undoWithHooks } from "../../shared/rollback/incident/undo-with-hooks.ts";
import type { Command, Invocation } from "../command.ts";
import { exit, exitCodeOfRun } from "../exit.ts";
import { renderAround } from "../render/around.ts";
import { renderReport } from "../render/report.ts";

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export const undo: Command = {
  name: "undo",
  summary: "put back what a rollback destroyed: objects, rows, sequences, ledger",
  usage: "ROLLBACK|MIGRATION",
  flags: { reason: { type: "string" }, maintenance: { type: "boolean" }, yes: { type: "boolean", short: "y" } },
  help: [
    ["--reason TEXT", "why, for the record (asked for on a terminal)"],
    ["--maintenance", "switch maintenance on for applications meanwhile, whatever the policy says"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, flags, terminal, belay } = invocation;
    const target = words[0]!;
    const reason = await agree(target, invocation);
    if (reason === null) return exit.failed;
    const which = uuid.test(target) ? { rollbackId: target } : { migration: target };
    const ran = await undoWithHooks(belay, { ...which, reason, maintenance: flags.maintenance === true });
    terminal.settle();
    if (terminal.json) terminal.document(ran);
    for (const line of [...renderReport(ran, terminal), ...renderAround(ran, terminal.width)]) terminal.line(line);
    return exitCodeOfRun(ran);
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
