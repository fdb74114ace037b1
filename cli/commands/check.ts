import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import type { Command } from "../command.ts";
import { exit } from "../exit.ts";
import { renderCheck } from "../render/plan.ts";

export const check: Command = {
  name: "check",
  summary: "whether a migration can be rolled back, what goes first, and what would be lost",
  usage: "MIGRATION",
  flags: {},
  help: [],
  words: { min: 1, max: 1 },
  run: async ({ words, terminal, belay, folderIfAny }) => {
    const plan = await planRollback(belay, { migration: words[0]!, folder: await folderIfAny() });
    terminal.settle();
    if (terminal.json) terminal.document(plan);
    for (const line of renderCheck(plan, terminal)) terminal.line(line);
    return plan.canRollBack ? exit.done : exit.blocked;
  },
};
