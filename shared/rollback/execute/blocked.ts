import { BelayError } from "../../errors.ts";
import type { Plan } from "../types.ts";

/** The error that names every gate in the way, its evidence, and what satisfies it. `subject`: what is rolled back. */
export function blockedError(
  subject: string,
  { gates, blockingReason }: Pick<Plan, "gates" | "blockingReason">,
): BelayError {
  const blocking = gates.filter((gate) => gate.blocking);
  const evidence = blocking.map((gate) => `${gate.name}: ${gate.evidence}`);
  const said = evidence.length === 0 ? [blockingReason ?? "no gate says why"] : evidence;
  const next = blocking.flatMap((gate) => (gate.next === null ? [] : [{ name: gate.name, next: gate.next }]));
  const hint = next.map((each) => (blocking.length === 1 ? each.next : `${each.name}: ${each.next}`));
  return new BelayError(
    "gate_failed",
    `${subject} is not rolled back:${said.length === 1 ? ` ${said[0]}` : `\n${said.join("\n")}`}`,
    { hint: hint.join("\n") || "See the plan's gates.", details: { gates: blocking } },
  );
}
