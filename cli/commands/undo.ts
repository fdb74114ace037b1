import { BelayError } from "../../shared/errors.ts";
import { undoWithHooks } from "../../shared/rollback/incident/undo-with-hooks.ts";
import { requireUnblocked } from "../../shared/rollback/undo/blocked.ts";
import { undoSubject } from "../../shared/rollback/undo/make-plan.ts";
import type { UndoPlan } from "../../shared/rollback/undo/plan-types.ts";
import { planUndo } from "../../shared/rollback/undo/plan-undo.ts";
import type { Command, Invocation } from "../command.ts";
import { type ExitCode, exit, exitCodeOfRun } from "../exit.ts";
import { renderAround } from "../render/around.ts";
import { renderReport } from "../render/report.ts";
import { renderUndoPlan } from "../render/undo-plan.ts";
import { undoFlags, undoHelp, undoTargetOf } from "../undo-target.ts";

export const undo: Command = {
  name: "undo",
  summary: "put back what a rollback destroyed: objects, rows, sequences, ledger",
  usage: "ROLLBACK|MIGRATION|latest",
  flags: {
    ...undoFlags,
    "dry-run": { type: "boolean" },
    reason: { type: "string" },
    plan: { type: "string" },
    maintenance: { type: "boolean" },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ...undoHelp,
    ["--dry-run", "show what would come back, what goes, and what is in the way; change nothing"],
    ["--reason TEXT", "why, for the record (asked for on a terminal)"],
    ["--plan HASH", "run only if the plan still has this hash (from --dry-run)"],
    ["--waive GATE", "pass by approved or maintenance_window, on record with your name and reason (repeatable)"],
    ["--maintenance", "switch maintenance on for applications meanwhile, whatever the policy says"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, flags, terminal, belay } = invocation;
    const target = undoTargetOf(words[0]!, flags);
    const reason = typeof flags.reason === "string" ? flags.reason.trim() : "";
    const request = { ...target, ...(reason === "" ? {} : { reason }) };
    if (flags["dry-run"] === true) return showDryRun(await planUndo(belay, request), invocation);
    const agreed = await agree(invocation, reason, () => planUndo(belay, request));
    if (agreed === null) return exit.failed;
    const ran = await undoWithHooks(belay, { ...target, ...agreed, maintenance: flags.maintenance === true });
    terminal.settle();
    if (terminal.json) terminal.document(ran);
    for (const line of [...renderReport(ran, terminal), ...renderAround(ran, terminal.width)]) terminal.line(line);
    return exitCodeOfRun(ran);
  },
};

function showDryRun(plan: UndoPlan, { terminal }: Invocation): ExitCode {
  terminal.settle();
  if (terminal.json) terminal.document(plan);
  terminal.line("Dry run: nothing is changed");
  terminal.line();
  for (const line of renderUndoPlan(plan, { width: terminal.width, all: true })) terminal.line(line);
  return plan.canUndo ? exit.done : exit.blocked;
}

/** The reason and the plan to execute, or null when the person did not agree. */
async function agree(
  { flags, terminal }: Invocation,
  given: string,
  makePlan: () => Promise<UndoPlan>,
): Promise<{ reason: string; planHash?: string } | null> {
  const hash = typeof flags.plan === "string" ? { planHash: flags.plan } : {};
  if (flags.yes === true) {
    if (given !== "") return { reason: given, ...hash };
    throw new BelayError("usage", "an undo needs a reason", { hint: 'Pass --reason "...".' });
  }
  if (!terminal.interactive)
    throw new BelayError("usage", "not on a terminal, so nothing is asked and nothing was changed", {
      hint: 'Look with --dry-run, then pass --yes --reason "..." --plan HASH.',
    });
  const plan = await makePlan();
  terminal.settle();
  for (const line of [...renderUndoPlan(plan, terminal), ""]) terminal.line(line);
  requireUnblocked(plan);
  const reason = given !== "" ? given : await terminal.ask("Why is this undone?");
  if (reason === "") throw new BelayError("usage", "an undo needs a reason", { hint: 'Pass --reason "...".' });
  if (await terminal.confirm(questionOf(plan))) return { reason, planHash: plan.hash, ...hash };
  terminal.line("Nothing was changed.");
  return null;
}

function questionOf(plan: UndoPlan): string {
  const discarded = [...new Set(plan.conflicts.flatMap((each) => (each.discarded ? (each.discard ?? []) : [])))];
  const over = discarded.length === 0 ? "" : `, writing over what is newer in ${discarded.join(", ")}`;
  return `Undo ${undoSubject(plan)}${over}?`;
}
