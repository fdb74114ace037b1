import type { gateNames } from "../types.ts";

export type GateName = (typeof gateNames)[number];

/** Which gates stop a rollback when they fail, and how far a plan counts. */
export interface Policy {
  readonly blocking: readonly GateName[];
  /** Tables estimated above this many rows are estimated, not counted. */
  readonly countUpToRows: number;
}

export const defaultPolicy: Policy = {
  blocking: [
    "status",
    "rollback_sql",
    "syntax",
    "transactional",
    "checksum",
    "dependents",
    "provenance",
    "undoable",
    "supported",
    "store",
    "reason",
  ],
  countUpToRows: 10_000_000,
};
