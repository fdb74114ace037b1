import type { Belay } from "../../context.ts";
import type { MigrationFolder } from "../../migrations/types.ts";
import { openPlanner } from "../transaction/control.ts";
import type { Plan } from "../types.ts";
import { type Facts, gatherFacts } from "./facts.ts";
import { makePlan } from "./plan.ts";
import { isLockTimeout, planningBlocked } from "./planning-blocked.ts";
import type { Policy } from "./policy.ts";
import { planTarget, type TargetRequest } from "./target.ts";
import { parseWaivers } from "./waivers.ts";

export interface PlanRequest extends TargetRequest {
  readonly reason?: string;
  /** The checkout, for the checksum gate. */
  readonly folder?: MigrationFolder | null;
  readonly policy?: Policy;
  /** Gates to waive; throws `usage` for those that the policy does not let waive. */
  readonly waive?: readonly string[];
}

/**
 * Tells what rolling back a migration, or several as one set, would do; changes nothing and locks nothing but the catalogs for reading.
 * A failed gate is part of the plan; throws only `unknown_migration`, `unknown_deployment`,
 * `usage` (nothing is left to go), `lock_not_obtained` (a table is held exclusively), `belay_not_installed` or a database error.
 */
export async function planRollback(belay: Belay, request: PlanRequest): Promise<Plan> {
  return (await planWithFacts(belay, request)).plan;
}

/** The plan with what it was made from. */
export async function planWithFacts(belay: Belay, request: PlanRequest): Promise<{ plan: Plan; facts: Facts }> {
  const policy = request.policy ?? belay.settings.policy;
  const waive = parseWaivers(request.waive ?? [], policy);
  planTarget(request);
  const facts = await readFactsAlone(belay, request);
  return { plan: makePlan(facts, { waive, policy }), facts };
}

async function readFactsAlone(belay: Belay, request: PlanRequest): Promise<Facts> {
  const session = await openPlanner(belay);
  try {
    await session.run("begin isolation level repeatable read read only");
    const facts = await gatherFacts(session, belay, request, request);
    await session.run("rollback");
    return facts;
  } catch (error) {
    throw isLockTimeout(error) ? await planningBlocked(belay, request, error) : error;
  } finally {
    await session.close();
  }
}
