import type { Belay } from "../../context.ts";
import type { MigrationFolder } from "../../migrations/types.ts";
import { ownPath } from "../../postgres/settings.ts";
import type { Plan } from "../types.ts";
import { type Facts, gatherFacts } from "./facts.ts";
import { makePlan } from "./plan.ts";
import type { Policy } from "./policy.ts";
import { parseWaivers } from "./waivers.ts";

export interface PlanRequest {
  /** A migration's name, file name or version, or `latest`. */
  readonly migration: string;
  readonly reason?: string;
  /** The checkout, for the checksum gate. */
  readonly folder?: MigrationFolder | null;
  readonly policy?: Policy;
  /** Gates to waive: `undoable`, `checksum`, `end_state`. Throws `usage` for any other. */
  readonly waive?: readonly string[];
}

/**
 * Tells what rolling back a migration would do; changes nothing and locks nothing but the catalogs for reading.
 * A failed gate is part of the plan; throws only `unknown_migration`, `belay_not_installed` or a database error.
 */
export async function planRollback(belay: Belay, request: PlanRequest): Promise<Plan> {
  const waive = parseWaivers(request.waive ?? []);
  const facts = await readFactsAlone(belay, request);
  return makePlan(facts, { waive, ...(request.policy === undefined ? {} : { policy: request.policy }) });
}

async function readFactsAlone(belay: Belay, request: PlanRequest): Promise<Facts> {
  const { lockTimeoutMs, statementTimeoutMs } = belay.settings;
  const session = await belay.openSession({
    applicationName: "belay plan",
    parameters: {
      row_security: "off",
      ...ownPath,
      lock_timeout: String(lockTimeoutMs),
      statement_timeout: String(statementTimeoutMs),
    },
  });
  try {
    await session.run("begin isolation level repeatable read read only");
    const { migration, ...options } = request;
    const facts = await gatherFacts(session, belay, migration, options);
    await session.run("rollback");
    return facts;
  } finally {
    await session.close();
  }
}
