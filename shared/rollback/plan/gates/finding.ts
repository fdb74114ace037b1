import type { Gate } from "../../gate-types.ts";

/** What a gate found, before the policy says whether it blocks. */
export interface Finding extends Pick<Gate, "state" | "evidence" | "next"> {
  /** The execution itself decides: what is not known yet does not stop the plan. */
  readonly later?: boolean;
  /** Of a finding that is waived by the policy itself. */
  readonly waiver?: Gate["waiver"];
}

export const passed = (evidence: string): Finding => ({ state: "passed", evidence, next: null });
export const failed = (evidence: string, next: string): Finding => ({ state: "failed", evidence, next });
export const unknown = (evidence: string, next: string): Finding => ({ state: "unknown", evidence, next });
export const notAvailable = (evidence: string, next: string | null = null): Finding => ({
  state: "not_available",
  evidence,
  next,
});
