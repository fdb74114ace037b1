import { BelayError } from "../../shared/errors.ts";
import { type Approval, approvePlan } from "../../shared/rollback/agree/approve.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { approveUndo } from "../../shared/rollback/undo/approve-undo.ts";
import { planUndo } from "../../shared/rollback/undo/plan-undo.ts";
import type { Command, Invocation } from "../command.ts";
import { type ExitCode, exit } from "../exit.ts";
import { renderCheck } from "../render/plan.ts";
import { renderUndoPlan } from "../render/undo-plan.ts";
import { targetFlags, targetHelp, targetOf, targetUsage } from "../target.ts";
import { count, mark, moment } from "../terminal.ts";
import { undoFlags, undoTargetOf } from "../undo-target.ts";

export const approve: Command = {
  name: "approve",
  summary: "agree, as a second person, to a plan that somebody else will execute",
  usage: targetUsage,
  flags: {
    ...targetFlags,
    plan: { type: "string" },
    reason: { type: "string" },
    ...undoFlags,
    undo: { type: "string" },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ...targetHelp,
    ["--plan HASH", "the plan that was looked at; needed when not on a terminal"],
    ["--reason TEXT", "why, for the record (asked for on a terminal)"],
    ["--waive GATE", "the waivers that the plan has: they are part of it (repeatable)"],
    ["--undo ROLLBACK", "agree to the plan of an undo instead; --only and --discard-newer as the plan has them"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 0, max: 1_000 },
  run: async (invocation) => {
    const { words, flags, terminal, belay } = invocation;
    if (typeof flags.undo === "string") return approveTheUndo(invocation, flags.undo);
    const waive = Array.isArray(flags.waive) ? (flags.waive as string[]) : [];
    const request = { ...targetOf(words, flags), waive, folder: await invocation.folderIfAny() };
    const agreed = await agree(invocation, async () => {
      const plan = await planRollback(belay, request);
      return { hash: plan.hash, lines: renderCheck(plan, terminal) };
    });
    if (agreed === null) return exit.failed;
    const approval = await approvePlan(belay, { ...request, ...agreed });
    terminal.settle();
    if (terminal.json) terminal.document(approval);
    for (const line of render(approval)) terminal.line(line);
    return exit.done;
  },
};

async function approveTheUndo(invocation: Invocation, rollback: string): Promise<ExitCode> {
  const { words, flags, terminal, belay } = invocation;
  if (words.length > 0)
    throw new BelayError("usage", "more than one target is given", { hint: "Either a migration, or --undo ROLLBACK." });
  const target = undoTargetOf(rollback, flags);
  const agreed = await agree(invocation, async () => {
    const plan = await planUndo(belay, target);
    return { hash: plan.hash, lines: renderUndoPlan(plan, terminal) };
  });
  if (agreed === null) return exit.failed;
  const approval = await approveUndo(belay, { ...target, ...agreed });
  terminal.settle();
  if (terminal.json) terminal.document(approval);
  for (const line of render(approval)) terminal.line(line);
  return exit.done;
}

interface Planned {
  readonly hash: string;
  readonly lines: readonly string[];
}

/** The hash and the reason to put on record, or null when the person did not agree. */
async function agree(
  { flags, terminal }: Invocation,
  plan: () => Promise<Planned>,
): Promise<{ planHash: string; reason: string } | null> {
  const given = typeof flags.reason === "string" ? flags.reason.trim() : "";
  const hash = typeof flags.plan === "string" ? flags.plan : undefined;
  if (flags.yes === true || !terminal.interactive) {
    if (flags.yes === true && hash !== undefined && given !== "") return { planHash: hash, reason: given };
    throw new BelayError("usage", "an approval without questions names the plan that was looked at, and a reason", {
      hint: 'Look with belay rollback MIGRATION --dry-run, then: belay approve MIGRATION --yes --plan HASH --reason "..."',
    });
  }
  const shown = await plan();
  terminal.settle();
  for (const line of [...shown.lines, ""]) terminal.line(line);
  const reason = given !== "" ? given : await terminal.ask("Why do you agree?");
  if (reason === "") throw new BelayError("usage", "an approval needs a reason", { hint: 'Pass --reason "...".' });
  if (await terminal.confirm(`Approve plan ${shown.hash.slice(0, 12)}…?`))
    return { planHash: hash ?? shown.hash, reason };
  terminal.line("Nothing was recorded.");
  return null;
}

function render({ planHash, migrations, risk, rows, actor, databaseRole, expiresAt, blocking }: Approval): string[] {
  return [
    `${mark.yes()} Approved: ${migrations.join(", ")}`,
    `  Plan      ${planHash}`,
    `  Risk      ${risk}, ${count(rows, "row")} would go into the archive`,
    `  By        ${actor} (database role ${databaseRole}); it does not count for what the same role rolls back`,
    `  Until     ${moment(expiresAt)}`,
    ...blocking.map(({ gate, evidence }) => `  ${mark.no()} ${gate} still stands in the way: ${evidence}`),
  ];
}
