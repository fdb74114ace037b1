import { z } from "zod";
import { appendAudit } from "../../audit.ts";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Gate } from "../gate-types.ts";
import type { Plan } from "../types.ts";
import { rowsAtStake } from "./growth.ts";
import { defaultPolicy, type Policy, type PolicyGate, policyGates } from "./policy.ts";

/** Gates that a policy can let a person pass by; the others protect what cannot be put back. */
export const waiveSchema = z.array(z.enum(policyGates)).max(policyGates.length);

/** Checks names of gates to waive; throws `usage` naming those that the policy does not let waive. Answers each once, sorted. */
export function parseWaivers(names: readonly string[], policy: Policy = defaultPolicy): PolicyGate[] {
  const { persons } = policy.waivers;
  // Where others must agree to waivers, their agreement is no gate to waive.
  const gates = policy.waivers.gates.filter((name) => persons === 1 || name !== "approved");
  const wrong = names.filter((name) => !(gates as readonly string[]).includes(name));
  if (wrong.length > 0)
    throw new BelayError("usage", `gate ${wrong.join(", ")} cannot be waived`, {
      hint: `${gates.length === 0 ? "The policy lets none be waived." : `These can: ${gates.join(", ")}.`}${
        wrong.includes("provenance") ? " The policy may name provenance under waivers.gates." : ""
      }`,
    });
  return [...new Set(names as PolicyGate[])].sort();
}

/** A gate that is waived and did not pass says so, with who lets it pass and why. */
export function withWaivers(
  gates: readonly Gate[],
  waive: readonly PolicyGate[],
  by: { readonly actor: string; readonly reason: string | null },
): Gate[] {
  return gates.map((gate) => {
    const asked = (waive as readonly string[]).includes(gate.name);
    const open = gate.state === "failed" || gate.state === "unknown" || gate.blocking;
    if (!asked || !open) return gate;
    return {
      ...gate,
      state: "waived",
      blocking: false,
      evidence: gate.evidence,
      next: null,
      waiver: { by: by.actor, reason: by.reason },
    };
  });
}

/** Who agreed to the plan, for the report. */
export function approvalNotes({ gates }: Pick<Plan, "gates">): string[] {
  return gates.filter(({ name, state }) => name === "approved" && state === "passed").map(({ evidence }) => evidence);
}

/** Puts waived gates on record, in the transaction that they let pass. */
export async function recordWaivers(
  session: Session,
  plan: Pick<Plan, "gates" | "hash" | "migration" | "effect">,
  by: { readonly actor: string; readonly subject: string | null; readonly reason: string },
): Promise<string[]> {
  const waived = plan.gates.filter(({ state }) => state === "waived");
  // A word that the policy itself holds is in the plan; on record is what somebody decides now.
  for (const { name, waiver, evidence } of waived.filter((gate) => gate.waiver?.by === by.actor)) {
    const reason = waiver?.reason ?? by.reason;
    await session.sql`
      insert into belay.approvals (plan_hash, migration_name, actor, subject, decision, gate, reason, rows)
      values (${plan.hash}, ${plan.migration}, ${by.actor}, ${by.subject}, 'waived', ${name}, ${reason},
              ${rowsAtStake(plan.effect)})`;
    await appendAudit(session, {
      actor: by.actor,
      action: "gate.waived",
      subject: plan.migration,
      details: { gate: name, planHash: plan.hash, reason, evidence },
    });
  }
  return waived.map(
    ({ name, waiver }) => `gate ${name} was waived by ${waiver?.by ?? by.actor}: ${waiver?.reason ?? by.reason}`,
  );
}
