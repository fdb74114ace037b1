import type { Policy } from "./policy.ts";

/** Rows that the plan destroys or whose values it takes, as counted or estimated. */
export function rowsAtStake(lost: {
  readonly tables: readonly { readonly rows: number }[];
  readonly columns: readonly { readonly rows: number }[];
}): number {
  return [...lost.tables, ...lost.columns].reduce((sum, each) => sum + each.rows, 0);
}

/** The most rows that may go where `rows` were planned or approved. */
export function approvedGrowth(rows: number, { growth }: Pick<Policy, "growth">): number {
  return rows + Math.max(growth.rows, Math.floor((rows * growth.percent) / 100));
}
