import type { Finding } from "./checks/check.ts";
import type { CheckName, DrillCheck, Verdict } from "./types.ts";

export interface CheckOutcome extends DrillCheck {
  readonly blame: Finding["blame"] | undefined;
}

/** A damaged backup outweighs a lacking environment, which outweighs what could not be told. Missing data is never a pass. */
export function verdictOf(outcomes: readonly CheckOutcome[]): { verdict: Verdict; summary: string } {
  const notPassed = outcomes.filter((outcome) => outcome.state !== "passed");
  const first = (blame: Verdict) => notPassed.find((outcome) => outcome.state !== "skipped" && outcome.blame === blame);
  for (const verdict of ["backup_bad", "environment_mismatch"] as const) {
    const cause = first(verdict);
    if (cause !== undefined) return { verdict, summary: `${cause.name}: ${cause.evidence}` };
  }
  if (outcomes.length === 0 || notPassed.length > 0) {
    const cause = first("inconclusive") ?? notPassed[0];
    return {
      verdict: "inconclusive",
      summary: cause === undefined ? "nothing was checked" : `${cause.name}: ${cause.evidence}`,
    };
  }
  return { verdict: "pass", summary: `${outcomes.length} checks passed` };
}

/** Runs one check and times it; an error that is not a finding is one that could not be told. */
export async function runCheck(
  name: CheckName,
  run: () => Promise<Finding>,
  explain: (error: unknown) => Finding,
): Promise<CheckOutcome> {
  const began = performance.now();
  const finding = await run().catch(explain);
  const { state, evidence, blame } = finding;
  return { name, state, evidence, blame, milliseconds: Math.round((performance.now() - began) * 10) / 10 };
}
