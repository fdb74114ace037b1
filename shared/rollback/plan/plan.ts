import type { Gate, Plan } from "../types.ts";
import type { Facts } from "./facts.ts";
import { judgeGates } from "./gates.ts";
import { planHash } from "./hash.ts";
import { defaultPolicy, type Policy } from "./policy.ts";
import { judgeRisk, judgeVerdict } from "./risk.ts";
import { planSteps } from "./steps.ts";
import { type WaivableGate, withWaivers } from "./waivers.ts";

/** Makes the plan of one rollback from facts alone: same facts, same plan. Failed gates are in it; it never throws for them. */
export function makePlan(facts: Facts, options: { policy?: Policy; waive?: readonly WaivableGate[] } = {}): Plan {
  const policy = options.policy ?? defaultPolicy;
  const { migration, prepared, effect, losses } = facts;
  const waive = options.waive ?? [];
  const gates = withWaivers(judgeGates(facts, policy), waive);
  const blocking = gates.filter((gate) => gate.blocking && gate.state === "failed");
  const { risk, reasons } = judgeRisk(facts);
  const steps = planSteps(facts);
  return {
    format: "belay-plan/1",
    migration: migration.name,
    version: migration.version,
    status: migration.status,
    appliedAt: migration.appliedAt,
    rollbackSql: migration.rollbackSql ?? "",
    sql: prepared.refusals.length > 0 ? "" : prepared.sql,
    rewrites: [...prepared.rewrites],
    dependents: facts.dependents.map(({ migration: name, found, why }) => ({ migration: name, found, why })),
    effect: {
      objects: [...effect.objects],
      tables: [...losses.tables],
      columns: [...losses.columns],
      sequences: [...losses.sequences],
      opaque: [...effect.opaque],
    },
    locks: [...facts.locks],
    blockers: [...facts.blockers],
    risk,
    riskReasons: reasons,
    verdict: judgeVerdict(facts, gates, risk),
    gates,
    steps,
    canRollBack: blocking.length === 0,
    blockingReason: reasonOf(blocking),
    hash: hashOf(facts, policy, steps, waive),
    plannedAt: facts.readAt,
  };
}

function reasonOf(blocking: readonly Gate[]): string | null {
  return blocking.length === 0 ? null : blocking.map((gate) => gate.evidence).join("; ");
}

/** Target, SQL, steps, digests of what it touches, and policy: not counts, ages, blockers or who asks. */
function hashOf(facts: Facts, policy: Policy, steps: Plan["steps"], waive: readonly WaivableGate[]): string {
  const { target, migration, prepared, effect, losses, entryHashes } = facts;
  return planHash({
    target,
    migration: [migration.name, migration.version, migration.status, migration.revision, migration.checksum],
    together: facts.together,
    rollbackSql: migration.rollbackSql,
    sql: prepared.sql,
    steps,
    dependents: facts.dependents.map((each) => each.migration),
    objects: effect.objects
      .map(({ key, change }) => [key, change, entryHashes[key] ?? null] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    tables: losses.tables.map(({ oid, schema, table }) => [oid, schema, table]),
    columns: losses.columns.map(({ oid, columns, key }) => [oid, columns, key]),
    sequences: losses.sequences.map(({ oid }) => oid),
    overreach: facts.provenance.overreach.map(({ key, what }) => [key, what]),
    opaque: effect.opaque,
    failures: effect.failures.map(({ why }) => why),
    policy,
    waive,
  });
}
