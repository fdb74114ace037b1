import { BelayError, isBelayError } from "../shared/errors.ts";
import { type EndBlockerRequest, type EndedBlocker, endBlocker } from "../shared/rollback/end-blocker.ts";
import { type PlanRequest, planRollback } from "../shared/rollback/plan/plan-rollback.ts";
import type { PlanningBlocked } from "../shared/rollback/plan/planning-blocked.ts";
import type { Plan } from "../shared/rollback/types.ts";
import type { Invocation } from "./command.ts";
import { blockerWords } from "./render/blockers.ts";
import { mark } from "./terminal.ts";

/** Flags that end who is in the way. */
export const blockerFlags = {
  cancel: { type: "string", multiple: true },
  terminate: { type: "string", multiple: true },
} as const;

export const blockerHelp: readonly (readonly [string, string])[] = [
  ["--cancel PID", "cancel what a session runs that is in the way (asks first; repeatable)"],
  ["--terminate PID", "end the connection of a session that is in the way (asks first; repeatable)"],
];

/**
 * Plans; ends who is in the way where --cancel or --terminate ask for it, also of planning itself, and plans again. With
 * `toExecute` nobody is ended for a plan that a gate stops anyway.
 */
export async function planPastBlockers(
  invocation: Invocation,
  request: PlanRequest,
  options: { readonly toExecute?: boolean } = {},
): Promise<Plan> {
  const { belay, terminal } = invocation;
  const plan = await planRollback(belay, request).catch((error: unknown) => {
    if (isBelayError(error, "lock_not_obtained") && error.details.blocked !== undefined) return error;
    throw error;
  });
  terminal.settle();
  if (!(plan instanceof BelayError) && options.toExecute === true && !plan.canRollBack) return plan;
  if (!(plan instanceof BelayError))
    return (await endBlockers(invocation, plan)) ? await planRollback(belay, request) : plan;
  const { blocked, blockers } = plan.details as { blocked: PlanningBlocked; blockers: Plan["blockers"] };
  if (await endBlockers(invocation, { ...blocked, blockers })) return await planRollback(belay, request);
  throw plan;
}

/** Ends the asked-for blockers, each behind a question; whether one was signalled. */
async function endBlockers(
  invocation: Invocation,
  plan: EndBlockerRequest["plan"] & Pick<Plan, "blockers">,
): Promise<boolean> {
  const { flags, terminal, belay } = invocation;
  const asked = [...pidsOf(flags.cancel, "cancel"), ...pidsOf(flags.terminate, "terminate")];
  let signalled = false;
  for (const { pid, how } of asked) {
    if (!(await agree(invocation, plan, pid, how))) continue;
    const result = await endBlocker(belay, { plan, pid, how });
    signalled = true;
    terminal.line(`${result.now === "blocking" ? mark.no() : mark.yes()} ${outcomeWords(result)}`);
  }
  return signalled;
}

function pidsOf(values: unknown, how: EndBlockerRequest["how"]) {
  return ((values as readonly string[] | undefined) ?? []).map((value) => {
    if (!/^\d{1,9}$/.test(value))
      throw new BelayError("usage", `--${how} takes the pid of a session, not ${value}`, {
        hint: "belay plan names who is in the way, with pid.",
      });
    return { pid: Number(value), how };
  });
}

/** A pid that is not in the way is left to the verb, which says so. */
async function agree(
  { flags, terminal }: Invocation,
  plan: Pick<Plan, "blockers">,
  pid: number,
  how: EndBlockerRequest["how"],
): Promise<boolean> {
  const blocker = plan.blockers.find((each) => each.pid === pid);
  if (blocker === undefined || flags.yes === true) return true;
  if (!terminal.interactive)
    throw new BelayError("usage", `not on a terminal, so nothing is asked and pid ${pid} was left alone`, {
      hint: `Pass --yes to ${how} it.`,
    });
  const what = how === "cancel" ? "Cancel what it runs" : "End its connection";
  if (await terminal.confirm(`${blockerWords(blocker)}. ${what}?`)) return true;
  terminal.line(`pid ${pid} was left alone.`);
  return false;
}

function outcomeWords({ pid, how, role, now }: EndedBlocker): string {
  const done = `pid ${pid} of role ${role} was ${how === "cancel" ? "cancelled" : "terminated"}`;
  if (now === "gone") return `${done}: the session is gone`;
  if (now === "free") return `${done}: it is no longer in the way`;
  const more = how === "cancel" ? `; it still holds its locks (an open transaction): --terminate ${pid}` : "";
  return `${done}, and is still in the way${more}`;
}
