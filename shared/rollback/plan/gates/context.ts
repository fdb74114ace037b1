import type { Risk } from "../../types.ts";
import type { Policy } from "../policy.ts";

/** What a judge may know besides the facts. */
export interface GateContext {
  readonly policy: Policy;
  readonly risk: Risk;
  /** Hash of the plan that is judged: approvals and notifications are of one plan. */
  readonly hash: string;
  /** Rows that would go; null: not counted exactly. */
  readonly rows: number;
  /** Names of gates that whoever rolls back asks to waive. */
  readonly waive: readonly string[];
}
