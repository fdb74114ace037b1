import { type Guide, planRunbook, runFullRestore } from "../../recovery/full-restore.ts";
import type { StepName } from "../../recovery/types.ts";
import { BelayError } from "../../shared/errors.ts";
import type { Invocation } from "../command.ts";
import { type ExitCode, exit } from "../exit.ts";
import { renderChangedTables, renderFullRestore, renderOutcome, renderRunbook } from "../render/runbook.ts";

/** Steps before which a person is asked, with the question; the others change nothing that the application uses. */
const questions: Partial<Record<StepName, (live: string) => string>> = {
  restore_beside: () => "Restore the backup beside it?",
  stop_writers: (live) => `Stop the writers of ${live} now? The downtime begins.`,
  switch_over: (live) => `Switch ${live} over to the restored copy?`,
};

/** `belay restore --runbook`: the full restore, led step by step. */
export async function runbook(invocation: Invocation): Promise<ExitCode> {
  const { words, flags, terminal, belay } = invocation;
  const request = {
    archiveId: words[0] ?? "latest",
    into: typeof flags.into === "string" ? flags.into : undefined,
    jobs: flags.jobs === undefined ? undefined : Number(flags.jobs),
  };
  const plan = await planRunbook(belay, request);
  terminal.settle();
  if (terminal.json && flags["dry-run"] === true) terminal.document(plan);
  for (const line of renderRunbook(plan, terminal.width)) terminal.line(line);
  if (flags["dry-run"] === true) return exit.done;
  const reason = await agreedReason(invocation);
  if (reason === null) return exit.failed;
  const report = await runFullRestore(
    belay,
    { ...request, id: plan.id, archiveId: plan.archiveId, reason },
    guide(invocation),
  );
  terminal.settle();
  if (terminal.json) terminal.document(report);
  for (const line of renderFullRestore(report)) terminal.line(line);
  return report.outcomes.every(({ state }) => state === "done" || state === "by_hand") ? exit.done : exit.failed;
}

function guide({ flags, terminal }: Invocation): Guide {
  return {
    agree: async (step, state) => {
      const question = questions[step.name];
      if (flags.yes === true || question === undefined) return true;
      return await terminal.confirm(question(state.plan.live));
    },
    heard: (outcome, state) => {
      terminal.line(renderOutcome(outcome));
      if (outcome.name === "list_newer")
        for (const line of renderChangedTables(state.tables, terminal.width)) terminal.line(line);
    },
  };
}

/** The reason to put on record once the person agreed to begin, or null when they did not. */
async function agreedReason({ flags, terminal }: Invocation): Promise<string | null> {
  const reason = typeof flags.reason === "string" && flags.reason.trim() !== "" ? flags.reason : undefined;
  if (flags.yes === true) {
    if (reason !== undefined) return reason;
    throw new BelayError("usage", "a full restore needs a reason", { hint: 'Pass --reason "...".' });
  }
  if (!terminal.interactive)
    throw new BelayError("usage", "not on a terminal, so nothing is asked and nothing was changed", {
      hint: 'Look with --dry-run, then pass --yes --reason "...".',
    });
  const given = reason ?? (await terminal.ask("Why is the database restored?"));
  if (given.trim() === "")
    throw new BelayError("usage", "a full restore needs a reason", { hint: 'Pass --reason "...".' });
  if (await terminal.confirm("Begin? Nothing that the application uses changes before the writers are stopped."))
    return given;
  terminal.line("Nothing was changed.");
  return null;
}
