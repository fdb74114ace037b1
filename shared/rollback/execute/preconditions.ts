import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Plan } from "../types.ts";

/** Throws `plan_changed` when the plan is not the approved one, `gate_failed` naming gate, evidence and next step. */
export function checkPlan(plan: Plan, approvedHash: string | undefined): void {
  if (approvedHash !== undefined && approvedHash !== plan.hash)
    throw new BelayError("plan_changed", `the plan for ${plan.migration} is no longer the one that was approved`, {
      hint: "Plan again, look at what changed, and execute with the new hash.",
      details: { approved: approvedHash, now: plan.hash },
    });
  const failed = plan.gates.filter((gate) => gate.blocking && gate.state === "failed");
  if (failed.length === 0 && plan.canRollBack) return;
  const [first] = failed;
  throw new BelayError(
    "gate_failed",
    first === undefined
      ? `${plan.migration} cannot be rolled back: ${plan.blockingReason}`
      : `gate ${first.name} failed for ${plan.migration}: ${first.evidence}`,
    {
      hint: first?.next ?? "See the plan's gates.",
      details: { gates: failed.map(({ name, evidence, next }) => ({ name, evidence, next })) },
    },
  );
}

/** Refuses with `needs_worker`, before any lock, what is too large to archive where this runs. */
export async function checkBudget(belay: Belay, control: Session, plan: Plan): Promise<void> {
  const budget = belay.settings.archiveBudgetBytes;
  if (budget === null) return;
  const oids = [...plan.effect.tables, ...plan.effect.columns].map(({ oid }) => String(oid));
  const [row] = await control.sql`
    select coalesce(sum(pg_table_size(c.oid)), 0)::float8 as bytes
      from pg_class c
     where c.relkind in ('r', 'm') and c.oid in (
             select relid from unnest(${oids}::text[]::oid[]) as wanted (oid), pg_partition_tree(wanted.oid)
              union all select unnest(${oids}::text[]::oid[]))`;
  if (row!.bytes <= budget) return;
  throw new BelayError(
    "needs_worker",
    `rolling back ${plan.migration} archives about ${row!.bytes} bytes; ${budget} are allowed here`,
    {
      hint: `Run it where there is no such limit: belay rollback ${plan.migration}`,
      details: { bytes: row!.bytes, budget },
    },
  );
}
