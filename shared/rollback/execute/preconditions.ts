import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { plural } from "../../words.ts";
import { approvedGrowth, rowsAtStake } from "../plan/growth.ts";
import type { Policy } from "../plan/policy.ts";
import { targetWords } from "../plan/target.ts";
import type { Plan } from "../types.ts";
import { blockedError } from "./blocked.ts";
import { planSubject } from "./run-units.ts";

/** Throws `plan_changed` when the plan is not the approved one, `gate_failed` naming gate, evidence and next step. */
export function checkPlan(plan: Plan, approvedHash: string | undefined): void {
  checkHash(plan, approvedHash);
  if (!plan.canRollBack) throw blockedError(planSubject(plan), plan);
}

/** Throws `plan_changed` when the plan is not the one of that hash. */
export function checkHash(plan: Plan, approvedHash: string | undefined): void {
  if (approvedHash !== undefined && approvedHash !== plan.hash)
    throw new BelayError("plan_changed", `the plan for ${planSubject(plan)} is no longer the one that was approved`, {
      hint: "Plan again, look at what changed, and execute with the new hash.",
      details: { approved: approvedHash, now: plan.hash },
    });
}

/** Throws `plan_changed` when more rows would go than the policy lets grow on what was planned. */
export function checkGrowth(plan: Plan, planned: number, policy: Pick<Policy, "growth">): void {
  const rows = rowsAtStake(plan.effect);
  const most = approvedGrowth(planned, policy);
  if (rows <= most) return;
  throw new BelayError(
    "plan_changed",
    `${plural(rows, "row")} would go now, and ${plural(planned, "row")} when ${planSubject(plan)} was planned: the policy allows ${plural(most, "row")}`,
    { hint: "Plan again and look at what would go now.", details: { planned, now: rows, allowed: most } },
  );
}

/** Refuses with `needs_worker`, before any lock, what is too large to archive where this runs. */
export async function checkBudget(belay: Belay, control: Session, plan: Plan): Promise<void> {
  const budget = belay.settings.archiveBudgetBytes;
  if (budget === null) return;
  const oids = [...plan.effect.tables, ...plan.effect.columns, ...plan.alsoArchived].map(({ oid }) => String(oid));
  const [row] = await control.sql`
    select coalesce(sum(pg_table_size(c.oid)), 0)::float8 as bytes
      from pg_class c
     where c.relkind in ('r', 'm') and c.oid in (
             select relid from unnest(${oids}::text[]::oid[]) as wanted (oid), pg_partition_tree(wanted.oid)
              union all select unnest(${oids}::text[]::oid[]))`;
  if (row!.bytes <= budget) return;
  throw new BelayError(
    "needs_worker",
    `rolling back ${planSubject(plan)} archives about ${row!.bytes} bytes; ${budget} are allowed here`,
    {
      hint: `Run it where there is no such limit: belay rollback ${targetWords(plan.target)}`,
      details: { bytes: row!.bytes, budget },
    },
  );
}
