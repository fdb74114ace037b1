import { postOnce } from "../../deployments/post-message.ts";
import { tryWithin } from "./attempts.ts";
import type { HookCall } from "./message.ts";
import type { HookResult } from "./types.ts";

export interface HookTarget {
  readonly url: string;
  readonly secret: string;
}

/** Tells a hook, signed, several times under the same id where it does not answer or answers 5xx. Never throws. */
export async function callHook(
  target: HookTarget,
  { hook, message }: HookCall,
  limits: { readonly attempts: number; readonly timeoutMs: number; readonly totalMs: number },
  now: () => Date,
): Promise<HookResult> {
  const tried = await tryWithin(
    limits,
    // Each attempt is signed anew: a receiver refuses a timestamp that is too old.
    (timeoutMs) => postOnce(target, message, now(), timeoutMs),
    ({ taken, again }) => !taken && again,
  );
  const { taken, status, evidence } = tried.result;
  return {
    hook,
    address: new URL(target.url).host,
    state: taken ? "taken" : "failed",
    status,
    attempts: tried.attempts,
    milliseconds: tried.milliseconds,
    evidence,
  };
}
