import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import type { Begun, Observe } from "../execute/types.ts";
import { rowsAtStake } from "../plan/growth.ts";
import type { Policy } from "../plan/policy.ts";
import type { Plan } from "../types.ts";
import { callHook } from "./call.ts";
import { askHealth, checksOf, judgeHealth } from "./health.ts";
import { giveTurnBack, type Journal, takeTurn } from "./journal.ts";
import { beginMaintenance, type RunningMaintenance } from "./keep-maintenance.ts";
import { afterCall, beforeCall, type Ending, type HookCall, type Subject } from "./message.ts";
import { sendNotice } from "./notice.ts";
import type { Around, HealthResult, HookResult, MaintenanceResult, NoticeResult } from "./types.ts";

export interface AroundRequest {
  readonly kind: "rollback" | "undo";
  readonly reason: string;
  readonly policy: Policy;
  /** Switch maintenance on although the policy does not. */
  readonly maintenance: boolean;
}

/** What stands around one rollback or undo, from its intent to its end. */
export interface Surroundings {
  readonly begun: Begun | null;
  /** Whether it came so far that the locks came next. */
  readonly ready: boolean;
  /** To be given to the work. */
  readonly observe: Observe;
  /** Maintenance off, the after hook, and after a COMMIT the health checks. Never throws. */
  end(ending: Ending): Promise<Around>;
  /** Tells the team how it ended, when it was told of the beginning. */
  tell(about: NoticeResult["about"], ending: Ending): Promise<void>;
}

/** Watches one run: at `ready` it asks the health checks, switches maintenance on and calls the before hook. */
export function surround(belay: Belay, asked: AroundRequest, journal: Journal, observe: Observe): Surroundings {
  const { policy } = asked;
  const hooks: HookResult[] = [];
  const notices: NoticeResult[] = [];
  const pending: Promise<unknown>[] = [];
  let begun: Begun | null = null;
  let ready = false;
  let before: HealthResult[] = [];
  let maintenance: MaintenanceResult | null = null;
  let running: RunningMaintenance | null = null;
  let turn: boolean | null = null;

  const subject = (): Subject => ({
    rollbackId: begun!.rollbackId,
    migrations: begun!.migrations,
    planned: plannedOf(begun!.plan),
    kind: asked.kind,
    actor: belay.actor,
    reason: asked.reason,
  });
  const health = async (moment: "before" | "after") => {
    belay.report({ phase: "health", message: `asking the health checks ${moment} the ${asked.kind}` });
    const results = await askHealth(belay, policy);
    for (const { name, healthy, evidence } of results)
      journal.note({
        event: `health_${moment}`,
        state: healthy ? "done" : "failed",
        evidence: `${name}: ${evidence}`,
        audit: `health.${moment}`,
      });
    return results;
  };
  const call = async (url: string, made: HookCall): Promise<HookResult> => {
    belay.report({ phase: "hook", message: `calling the ${made.hook} hook` });
    const { attempts, timeoutMs, totalMs } = policy.hooks;
    const target = { url, secret: belay.settings.hookSecret! };
    const result = await callHook(target, made, { attempts, timeoutMs, totalMs }, belay.now);
    hooks.push(result);
    journal.note({
      event: `hook_${made.hook}`,
      state: result.state === "taken" ? "done" : "failed",
      evidence: `${result.address}: ${result.evidence}`,
      details: result,
      audit: `hook.${made.hook}`,
    });
    return result;
  };
  const notify = async (about: NoticeResult["about"], ending: Ending | null) => {
    const sent = await sendNotice(belay, about, subject(), ending);
    if (sent === null) return;
    notices.push(sent);
    const state = sent.state === "taken" ? "done" : "failed";
    journal.note({ event: `notice_${about}`, state, evidence: `${sent.address}: ${sent.evidence}` });
  };

  const { hookBefore, hookAfter } = belay.settings;
  const maintains = asked.maintenance || policy.maintenance.use === "always";
  const takesTurns = maintains || hookBefore !== undefined || hookAfter !== undefined;

  const prepare = async () => {
    if (takesTurns) {
      // A record that is away costs no rollback: then the lock of the rollback itself decides.
      turn = await journal.on(takeTurn).catch(() => null);
      if (turn === false) throw anotherRuns();
    }
    ready = true;
    pending.push(notify("started", null));
    before = await health("before");
    if (maintains) {
      running = await beginMaintenance(belay, policy, begun!.rollbackId, journal);
      maintenance = running.result;
    }
    if (hookBefore === undefined) return;
    const result = await call(hookBefore, beforeCall(subject()));
    if (result.state === "failed" && policy.hooks.onBeforeFailure === "stop") throw notTaken(asked.kind, result);
  };

  return {
    get begun() {
      return begun;
    },
    get ready() {
      return ready;
    },
    async observe(point, now) {
      if (now !== undefined) begun = now;
      if (point === "intent" && begun !== null) await journal.begin(begun.rollbackId);
      if (point !== "ready") journal.note({ event: point, later: point === "sql" || point === "guarded" });
      await observe(point, now);
      if (point === "ready") await prepare();
    },
    async end(ending) {
      await running?.end();
      if (ready && hookAfter !== undefined) await call(hookAfter, afterCall(subject(), ending));
      const after = ending.outcome === "committed" && before.length > 0 ? await health("after") : [];
      await Promise.allSettled(pending);
      if (turn === true) await journal.on(giveTurnBack).catch(() => {});
      const verdict = checksOf(belay, policy).length === 0 ? "not_asked" : judgeHealth(before, after);
      return { maintenance, hooks, health: { verdict, before, after }, notices };
    },
    async tell(about, ending) {
      if (ready) await notify(about, ending);
    },
  };
}

function anotherRuns(): BelayError {
  return new BelayError(
    "rollback_in_progress",
    "another rollback or undo is running on this database, with its hooks",
    {
      hint: "Nothing was changed, and no hook was called. Wait until it has ended, then plan again.",
    },
  );
}

function plannedOf(plan: Plan | null) {
  return plan === null ? null : { planHash: plan.hash, risk: plan.risk, rows: rowsAtStake(plan.effect) };
}

function notTaken(kind: "rollback" | "undo", { address, evidence, attempts }: HookResult): BelayError {
  const times = attempts === 1 ? "" : ` (${attempts} attempts)`;
  return new BelayError("hook_failed", `the before hook at ${address} did not take the call: ${evidence}${times}`, {
    hint: `Nothing was changed: the ${kind} did not begin. Mend the hook, or let the policy go on without it: "hooks": { "onBeforeFailure": "continue" }.`,
    details: { hook: "before", address, attempts },
  });
}
