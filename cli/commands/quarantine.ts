import { BelayError } from "../../shared/errors.ts";
import { listKept } from "../../shared/rollback/preserve/list.ts";
import { purgeKept } from "../../shared/rollback/preserve/purge.ts";
import type { Command, Invocation } from "../command.ts";
import { type ExitCode, exit } from "../exit.ts";
import { renderKept, renderPurged } from "../render/quarantine.ts";
import { bytes, count } from "../terminal.ts";

export const quarantine: Command = {
  name: "quarantine",
  summary: "list what rollbacks keep in the database, or purge what is due into a verified archive",
  usage: "[list | purge [ROLLBACK...]]",
  flags: {
    before: { type: "string" },
    "dry-run": { type: "boolean" },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ["ROLLBACK", "purge what this rollback keeps, due or not: its id, or the migration's name (default: what is due)"],
    ["--before DATE", "purge what rollbacks before this date keep, due or not (2026-01-31)"],
    ["--dry-run", "show what a purge would take; change nothing"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 0, max: 1_000 },
  run: async (invocation) => {
    const [action = "list", ...rollbacks] = invocation.words;
    if (action === "purge") return await purge(invocation, rollbacks);
    if (action === "list" && rollbacks.length === 0) return await list(invocation);
    throw new BelayError("usage", `belay quarantine does not know ${invocation.words.join(" ")}`, {
      hint: "belay quarantine list, or belay quarantine purge [ROLLBACK...]",
    });
  },
};

async function list({ belay, terminal }: Invocation): Promise<ExitCode> {
  const found = await listKept(belay);
  if (terminal.json) terminal.document(found);
  for (const line of renderKept(found, terminal.width)) terminal.line(line);
  return exit.done;
}

async function purge({ belay, terminal, flags }: Invocation, rollbacks: readonly string[]): Promise<ExitCode> {
  const before = typeof flags.before === "string" ? { before: flags.before } : {};
  if (rollbacks.length > 0 && typeof flags.before === "string")
    throw new BelayError("usage", "rollbacks are named, and a date is given", { hint: "One of them." });
  const dryRun = flags["dry-run"] === true;
  const due = await purgeKept(belay, { rollbacks, ...before, dryRun: true });
  if (dryRun || due.length === 0) {
    if (terminal.json) terminal.document({ dryRun, purged: due });
    for (const line of renderPurged(due, { dryRun: true, width: terminal.width })) terminal.line(line);
    return exit.done;
  }
  if (flags.yes !== true) {
    if (!terminal.interactive)
      throw new BelayError("usage", "not on a terminal, so nothing is asked and nothing was changed", {
        hint: "Look with --dry-run, then pass --yes.",
      });
    for (const line of renderPurged(due, { dryRun: true, width: terminal.width })) terminal.line(line);
    const size = due.reduce((sum, each) => sum + each.bytes, 0);
    if (
      !(await terminal.confirm(
        `Archive and remove ${count(due.length, "rollback's rows", "rollbacks' rows")} (${bytes(size)})?`,
      ))
    ) {
      terminal.line("Nothing was changed.");
      return exit.failed;
    }
  }
  const purged = await purgeKept(belay, { rollbacks: due.map(({ rollbackId }) => rollbackId) });
  terminal.settle();
  if (terminal.json) terminal.document({ dryRun, purged });
  for (const line of renderPurged(purged, { dryRun: false, width: terminal.width })) terminal.line(line);
  return exit.done;
}
