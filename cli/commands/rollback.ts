import { BelayError } from "../../shared/errors.ts";
import { blockedError } from "../../shared/rollback/execute/blocked.ts";
import { rollBackWithHooks } from "../../shared/rollback/incident/roll-back-with-hooks.ts";
import { rowsAtStake } from "../../shared/rollback/plan/growth.ts";
import type { Plan } from "../../shared/rollback/types.ts";
import { blockerFlags, blockerHelp, planPastBlockers } from "../blockers.ts";
import type { Command, Invocation } from "../command.ts";
import { type ExitCode, exit, exitCodeOfRun } from "../exit.ts";
import { renderAround } from "../render/around.ts";
import { renderCheck, renderPlan } from "../render/plan.ts";
import { renderReport } from "../render/report.ts";
import { targetFlags, targetHelp, targetOf, targetUsage } from "../target.ts";

export const rollback: Command = {
  name: "rollback",
  summary: "roll back a migration or several as one: archive what goes, verify, run, compare, record",
  usage: targetUsage,
  flags: {
    ...targetFlags,
    ...blockerFlags,
    "dry-run": { type: "boolean" },
    reason: { type: "string" },
    plan: { type: "string" },
    waive: { type: "string", multiple: true },
    maintenance: { type: "boolean" },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ...targetHelp,
    ["--dry-run", "show the plan and the SQL that would run; change nothing"],
    ["--reason TEXT", "why, for the record (asked for on a terminal)"],
    ["--plan HASH", "run only if the plan still has this hash (from --dry-run)"],
    ["--waive GATE", "pass by a gate that the policy lets be waived, on record with your name and reason (repeatable)"],
    ...blockerHelp,
    ["--maintenance", "switch maintenance on for applications meanwhile, whatever the policy says"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 0, max: 1_000 },
  run: async (invocation) => {
    const { words, flags, terminal, belay } = invocation;
    const folder = await invocation.folderIfAny();
    const dryRun = flags["dry-run"] === true;
    const reason = typeof flags.reason === "string" && flags.reason.trim() !== "" ? flags.reason : undefined;
    const waive = Array.isArray(flags.waive) ? (flags.waive as string[]) : [];
    const request = { ...targetOf(words, flags), reason, folder, waive };
    const plan = await planPastBlockers(invocation, request, { toExecute: !dryRun });
    if (dryRun) return showDryRun(plan, invocation);
    if (!plan.canRollBack) throw blockedError(subjectOf(plan), plan);
    const agreedReason = await agree(plan, reason, invocation);
    if (agreedReason === null) return exit.failed;
    const planHash = typeof flags.plan === "string" ? flags.plan : plan.hash;
    const ran = await rollBackWithHooks(belay, {
      ...request,
      planHash,
      plannedRows: rowsAtStake(plan.effect),
      reason: agreedReason,
      maintenance: flags.maintenance === true,
    });
    terminal.settle();
    if (terminal.json) terminal.document(ran);
    for (const line of [...renderReport(ran, terminal), ...renderAround(ran, terminal.width)]) terminal.line(line);
    return exitCodeOfRun(ran);
  },
};

function showDryRun(plan: Plan, { terminal }: Invocation): ExitCode {
  if (terminal.json) terminal.document(plan);
  terminal.line("Dry run: nothing is changed");
  terminal.line();
  for (const line of renderPlan(plan, { ...terminal, sql: true })) terminal.line(line);
  return plan.canRollBack ? exit.done : exit.blocked;
}

function subjectOf({ migration, migrations }: Plan): string {
  return migrations.length === 1 ? migration : `${migration} and ${migrations.length - 1} more`;
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
  if (await terminal.confirm(`Roll back ${subjectOf(plan)}?`)) return given;
  terminal.line("Nothing was changed.");
  return null;
}
