import type { Gate, Plan } from "../types.ts";
import type { Facts } from "./facts.ts";
import { answerChecklist } from "./gates/checklist.ts";
import { judgeGates } from "./gates.ts";
import { rowsAtStake } from "./growth.ts";
import { planHash } from "./hash.ts";
import { migrationOf, plannedMigrations } from "./planned-migrations.ts";
import { defaultPolicy, type Policy, type PolicyGate } from "./policy.ts";
import { judgeRisk, judgeVerdict } from "./risk.ts";
import { planSteps } from "./steps.ts";
import { withWaivers } from "./waivers.ts";

/** Makes the plan of one rollback from facts alone: same facts, same plan. Failed gates are in it; it never throws for them. */
export function makePlan(facts: Facts, options: { policy?: Policy; waive?: readonly PolicyGate[] } = {}): Plan {
  const policy = options.policy ?? defaultPolicy;
  const { migration, prepared, effect, losses } = facts;
  const waive = options.waive ?? [];
  const { risk, reasons } = judgeRisk(facts);
  const steps = planSteps(facts);
  const hash = hashOf(facts, policy, steps, waive);
  const judged = judgeGates(facts, policy, { risk, hash, rows: rowsAtStake(losses), waive });
  const gates = withWaivers(judged, waive, { actor: facts.evidence.executor.actor, reason: facts.reason });
  const blocking = gates.filter((gate) => gate.blocking);
  const verdict = judgeVerdict(facts, gates, risk);
  return {
    format: "belay-plan/2",
    target: facts.asked,
    migrations: plannedMigrations(facts),
    migration: migration.name,
    version: migration.version,
    status: migration.status,
    appliedAt: migration.appliedAt,
    rollbackSql: migration.rollbackSql ?? "",
    sql: prepared.refusals.length > 0 || facts.syntax !== null ? "" : prepared.sql,
    rewrites: [...prepared.rewrites],
    dependents: facts.dependents.map(({ migration: name, found, why }) => ({ migration: name, found, why })),
    effect: {
      objects: effect.objects.map((each) => ({ ...each, migration: migrationOf(facts, each.key) })),
      tables: [...losses.tables],
      columns: [...losses.columns],
      sequences: [...losses.sequences],
      writes: facts.writes.map((each) => writeOf(facts, each)),
      jobs: [...facts.jobs],
      opaque: effect.opaque.map((each) => opaqueOf(facts, each)),
    },
    preserve: facts.preserve,
    alsoArchived: [...facts.alsoArchived],
    locks: [...facts.locks],
    blockers: [...facts.blockers],
    risk,
    riskReasons: reasons,
    drift: facts.drift,
    verdict,
    part: partOf(facts),
    gates,
    checklist: answerChecklist(facts, judged, verdict),
    policyDigest: planHash(policy),
    steps,
    canRollBack: blocking.length === 0,
    blockingReason: reasonOf(blocking),
    hash,
    plannedAt: facts.readAt,
  };
}

function writeOf({ units }: Facts, { unit = 0, file, line, verb, schema, table, oid, rows }: Facts["writes"][number]) {
  const from = units[unit]!;
  return { migration: from.migration.name, file: file ?? from.file, line, verb, schema, table, oid, rows };
}

function opaqueOf({ units }: Facts, { unit = 0, file, line, statement, why }: Facts["effect"]["opaque"][number]) {
  const from = units[unit]!;
  return { migration: from.migration.name, file: file ?? from.file, line, statement, why };
}

function partOf({ part }: Facts): Plan["part"] {
  if (part === null) return null;
  const { migrations, stopsAt, why, words } = part;
  return { migrations: [...migrations], stopsAt, why, command: `belay plan ${words}` };
}

function reasonOf(blocking: readonly Gate[]): string | null {
  return blocking.length === 0 ? null : blocking.map((gate) => gate.evidence).join("; ");
}

/** Target, SQL, steps, digests of what it touches, and policy: not counts, ages, blockers or who asks. */
function hashOf(facts: Facts, policy: Policy, steps: Plan["steps"], waive: readonly PolicyGate[]): string {
  const { target, units, prepared, effect, losses, entryHashes } = facts;
  return planHash({
    target,
    migrations: units.map(({ migration, together }) => [
      [migration.name, migration.revision, migration.rollbackSql],
      together.map(({ name, version, status, checksum }) => [name, version, status, checksum]),
    ]),
    sql: prepared.sql,
    steps,
    dependents: facts.dependents.map((each) => each.migration),
    objects: effect.objects
      .map(({ key, change }) => [key, change, entryHashes[key] ?? null] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    tables: losses.tables.map(({ oid, schema, table }) => [oid, schema, table]),
    columns: losses.columns.map(({ oid, columns, key }) => [oid, columns, key]),
    sequences: losses.sequences.map(({ oid, stays }) => [oid, stays]),
    preserve: [facts.preserve.mode, facts.preserve.kept],
    alsoArchived: facts.alsoArchived.map(({ oid, schema, table }) => [oid, schema, table]),
    overreach: facts.provenance.overreach.map(({ key, what }) => [key, what]),
    opaque: effect.opaque.map(({ unit, line, statement, why }) => [unit ?? 0, line, statement, why]),
    failures: effect.failures.map(({ why }) => why),
    policy,
    waive,
  });
}
