import { completePolicy, type Policy, type PolicyFile, type PolicyGate } from "../../shared/rollback/plan/policy.ts";

/** As a policy file for one person would say: nobody else has to approve. */
export const soloFile: PolicyFile = { gates: { approved: "advised" } };

/** The default, but without a second person: what most tests roll back with. */
export const soloPolicy: Policy = completePolicy(soloFile);

/** The solo policy with these gates shown only. */
export function advising(...gates: readonly PolicyGate[]): Policy {
  const advised = Object.fromEntries(gates.map((gate) => [gate, "advised" as const]));
  return completePolicy({ gates: { ...soloFile.gates, ...advised } });
}
