import { BelayError } from "../../shared/errors.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import type { Plan } from "../../shared/rollback/types.ts";
import type { Command, Invocation } from "../command.ts";
import { type ExitCode, exit } from "../exit.ts";
import { renderCheck, renderDryRun } from "../render/plan.ts";
import { renderReport } from "../render/report.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "roll back one migration: archive what it destroys, verify, run, compare, record",
  usage: "MIGRATION",
  flags: {
    "dry-run": { type: "boolean" },
    reason: { type: "string" },
    plan: { type: "string" },
    waive: { type: "string", multiple: true },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ["--dry-run", "show the plan and the SQL that would run; change nothing"],
    ["--reason TEXT", "why, for the record (asked for on a terminal)"],
    ["--plan HASH", "run only if the plan still has this hash (from --dry-run)"],
    ["--waive GATE", "pass by undoable, checksum or end_state, on record with the reason (repeatable)"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, flags, terminal, belay } = invocation;
    const folder = await invocation.folderIfAny();
    const dryRun = flags["dry-run"] === true;
    const reason = typeof flags.reason === "string" && flags.reason.trim() !== "" ? flags.reason : undefined;
    const waive = Array.isArray(flags.waive) ? (flags.waive as string[]) : [];
    const plan = await planRollback(belay, { migration: words[0]!, reason, folder, waive });
    terminal.settle();
    if (dryRun) return showDryRun(plan, invocation);
    refuseBlocked(plan);
    const agreedReason = await agree(plan, reason, invocation);
    if (agreedReason === null) return exit.failed;
    const planHash = typeof flags.plan === "string" ? flags.plan : plan.hash;
    const report = await executeRollback(belay, {
      migration: plan.migration,
      planHash,
      reason: agreedReason,
      folder,
      waive,
    });
    terminal.settle();
    if (terminal.json) terminal.document(report);
    for (const line of renderReport(report, terminal)) terminal.line(line);
    return exit.done;
  },
};

function showDryRun(plan: Plan, { terminal }: Invocation): ExitCode {
  if (terminal.json) terminal.document(plan);
  terminal.line("Dry run: nothing is changed");
  terminal.line();
  for (const line of renderDryRun(plan, terminal)) terminal.line(line);
  return plan.canRollBack ? exit.done : exit.blocked;
}

/** The gate of the reason is left to the question that follows. */
function refuseBlocked(plan: Plan): void {
  const failed = plan.gates.filter((gate) => gate.blocking && gate.state === "failed" && gate.name !== "reason");
  if (failed.length === 0) return;
  const evidence = failed.map((gate) => `${gate.name}: ${gate.evidence}`);
  const next = failed.flatMap((gate) => gate.next ?? []);
  throw new BelayError(
    "gate_failed",
    `${plan.migration} is not rolled back:${evidence.length === 1 ? ` ${evidence[0]}` : `\n${evidence.join("\n")}`}`,
    { hint: next.join("\n") || undefined, details: { gates: failed } },
  );
}

/** The reason to put on record once the person agreed, or null when they did not. */
async function agree(plan: Plan, reason: string | undefined, { flags, terminal }: Invocation): Promise<string | null> {
  if (flags.yes === true) {
    if (reason !== undefined) return reason;
    throw new BelayError("usage", "a rollback needs a reason", { hint: 'Pass --reason "...".' });
  }
  if (!terminal.interactive)
    throw new BelayError("usage", "not on a terminal, so nothing is asked and nothing was changed", {
      hint: `Look with --dry-run, then pass --yes --reason "..." --plan ${plan.hash}.`,
    });
  for (const line of [...renderCheck(plan, terminal), ""]) terminal.line(line);
  const given = reason ?? (await terminal.ask("Why is this rolled back?"));
  if (given.trim() === "") throw new BelayError("usage", "a rollback needs a reason", { hint: 'Pass --reason "...".' });
  if (await terminal.confirm(`Roll back ${plan.migration}?`)) return given;
  terminal.line("Nothing was changed.");
  return null;
}
