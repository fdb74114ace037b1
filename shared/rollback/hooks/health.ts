import type { Belay } from "../../context.ts";
import { answerOf } from "../../deployments/post-message.ts";
import type { Policy } from "../plan/policy.ts";
import type { HealthCheck } from "../plan/policy-around.ts";
import { type AttemptLimits, tryWithin } from "./attempts.ts";
import { type Answered, askDatabase } from "./sql-check.ts";
import type { Health, HealthResult } from "./types.ts";

/** The policy's checks, and the addresses of the settings under their hosts' names. */
export function checksOf(belay: Belay, policy: Policy): HealthCheck[] {
  const taken = new Set(policy.health.checks.map(({ name }) => name));
  const named = belay.settings.healthUrls.map((url): HealthCheck => {
    const { host } = new URL(url);
    let name = host;
    for (let n = 2; taken.has(name); n++) name = `${host} (${n})`;
    taken.add(name);
    return { name, url };
  });
  return [...policy.health.checks, ...named];
}

/** Asks all checks at the same time; what fails is asked again, as the policy says. Never throws. */
export async function askHealth(belay: Belay, policy: Policy): Promise<HealthResult[]> {
  const { attempts, timeoutMs, totalMs } = policy.health;
  return await Promise.all(
    checksOf(belay, policy).map((check) => askOne(belay, check, { attempts, timeoutMs, totalMs })),
  );
}

async function askOne(belay: Belay, check: HealthCheck, limits: AttemptLimits): Promise<HealthResult> {
  const ask = (timeoutMs: number) =>
    check.sql === undefined ? askAddress(check, timeoutMs) : askDatabase(belay, check.sql, timeoutMs);
  const { result, attempts, milliseconds } = await tryWithin(limits, ask, ({ healthy }) => !healthy);
  return { name: check.name, ...result, attempts, milliseconds };
}

async function askAddress({ url, expect }: HealthCheck, timeoutMs: number): Promise<Answered> {
  const { status, taken, evidence } = await answerOf(url!, { headers: { "user-agent": "belay" } }, timeoutMs);
  const healthy = expect === undefined ? taken : status !== null && expect.includes(status);
  return { healthy, status, evidence };
}

/** What the answers before and after come to: a check that failed before too is not the rollback's doing. */
export function judgeHealth(before: readonly HealthResult[], after: readonly HealthResult[]): Health["verdict"] {
  if (after.length === 0) return "not_reached";
  const failing = after.filter(({ healthy }) => !healthy);
  if (failing.length === 0) return "healthy";
  const wasHealthy = new Set(before.filter(({ healthy }) => healthy).map(({ name }) => name));
  return failing.some(({ name }) => wasHealthy.has(name)) ? "failing" : "failing_before";
}
