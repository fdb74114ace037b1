import { z } from "zod";
import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import type { Gate } from "../types.ts";

/** Gates that a person may pass by, with a name and a reason on record; the others protect what cannot be put back. */
export const waivableGates = ["undoable", "checksum", "end_state"] as const;
export type WaivableGate = (typeof waivableGates)[number];

export const waiveSchema = z.array(z.enum(waivableGates)).max(waivableGates.length);

/** Checks names of gates to waive; throws `usage` naming those that cannot be. Answers each once, sorted. */
export function parseWaivers(names: readonly string[]): WaivableGate[] {
  const wrong = names.filter((name) => !(waivableGates as readonly string[]).includes(name));
  if (wrong.length > 0)
    throw new BelayError("usage", `gate ${wrong.join(", ")} cannot be waived`, {
      hint: `These can: ${waivableGates.join(", ")}.`,
    });
  return [...new Set(names as WaivableGate[])].sort();
}

/** A gate that failed or is not known yet, and that is waived, says so. */
export function withWaivers(gates: readonly Gate[], waive: readonly WaivableGate[]): Gate[] {
  return gates.map((gate) =>
    (waive as readonly string[]).includes(gate.name) && (gate.state === "failed" || gate.state === "unknown")
      ? { ...gate, state: "waived", next: null }
      : gate,
  );
}

/** Puts waived gates on record, in the transaction that they let pass. */
export async function recordWaivers(
  session: Session,
  gates: readonly Gate[],
  by: { readonly planHash: string; readonly actor: string; readonly reason: string },
): Promise<string[]> {
  const waived = gates.filter(({ state }) => state === "waived");
  for (const { name } of waived)
    await session.sql`
      insert into belay.approvals (plan_hash, actor, decision, gate, reason)
      values (${by.planHash}, ${by.actor}, 'waived', ${name}, ${by.reason})`;
  return waived.map(({ name }) => `gate ${name} was waived by ${by.actor}: ${by.reason}`);
}
