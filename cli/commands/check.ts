import { blockerFlags, blockerHelp, planPastBlockers } from "../blockers.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { renderCheck } from "../render/plan.ts";
import { targetFlags, targetHelp, targetOf, targetUsage } from "../target.ts";

export const check: Command = {
  name: "check",
  summary: "whether a migration can be rolled back, what goes first, and what would be lost",
  usage: targetUsage,
  flags: { ...targetFlags, ...blockerFlags, yes: { type: "boolean", short: "y" } },
  help: [...targetHelp, ...blockerHelp, ["-y, --yes", "do not ask before --cancel and --terminate"]],
  words: { min: 0, max: 1_000 },
  run: async (invocation) => {
    const { words, flags, terminal, folderIfAny } = invocation;
    const request = { ...targetOf(words, flags), folder: await folderIfAny() };
    const plan = await planPastBlockers(invocation, request);
    if (terminal.json) terminal.document(plan);
    for (const line of renderCheck(plan, terminal)) terminal.line(line);
    return plan.canRollBack ? exit.done : exit.blocked;
  },
};
