import { blockerFlags, blockerHelp, planPastBlockers } from "../blockers.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { renderPlan } from "../render/plan.ts";
import { targetFlags, targetHelp, targetOf, targetUsage } from "../target.ts";

export const plan: Command = {
  name: "plan",
  summary: "what a rollback would do: effect, losses, locks, gates, steps and the plan's hash; changes nothing",
  usage: targetUsage,
  flags: {
    ...targetFlags,
    ...blockerFlags,
    sql: { type: "boolean" },
    waive: { type: "string", multiple: true },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ...targetHelp,
    ["--sql", "the SQL that would run, too"],
    ["--waive GATE", "plan with this gate waived (repeatable)"],
    ...blockerHelp,
    ["-y, --yes", "do not ask before --cancel and --terminate"],
  ],
  words: { min: 0, max: 1_000 },
  run: async (invocation) => {
    const { words, flags, terminal, folderIfAny } = invocation;
    const waive = Array.isArray(flags.waive) ? (flags.waive as string[]) : [];
    const request = { ...targetOf(words, flags), folder: await folderIfAny(), waive };
    const planned = await planPastBlockers(invocation, request);
    if (terminal.json) terminal.document(planned);
    for (const line of renderPlan(planned, { ...terminal, sql: flags.sql === true })) terminal.line(line);
    return planned.canRollBack ? exit.done : exit.blocked;
  },
};
