import { BelayError } from "../../errors.ts";
import { compareVersions } from "../layouts/source.ts";
import type { MigrationRow } from "./status.ts";

/** Which rows of `belay status` are wanted; all that are given must hold. */
export interface StatusFilter {
  /** A version, a date (`2025-01-20`, with a time if wanted) or a duration (`36h`, `7d`): what was applied since. */
  readonly since?: string;
  readonly missing?: boolean;
  readonly rolledBack?: boolean;
}

/** How many migrations there are of each kind. */
export interface StatusCounts {
  readonly total: number;
  readonly applied: number;
  readonly rolledBack: number;
  readonly failed: number;
  readonly pending: number;
  /** Without rollback SQL. */
  readonly missing: number;
  readonly rollbackable: number;
}

/** Picks rows. Throws `usage` where `since` is neither a version nor a time. */
export function filterRows(rows: readonly MigrationRow[], filter: StatusFilter, now: Date): MigrationRow[] {
  const isSince = filter.since === undefined ? () => true : sinceTest(filter.since, rows, now);
  return rows.filter(
    (row) =>
      isSince(row) &&
      (filter.missing !== true || !row.hasRollback) &&
      (filter.rolledBack !== true || row.status === "rolled_back"),
  );
}

export function countRows(rows: readonly MigrationRow[]): StatusCounts {
  const count = (test: (row: MigrationRow) => boolean) => rows.filter(test).length;
  return {
    total: rows.length,
    applied: count(({ status }) => status === "applied"),
    rolledBack: count(({ status }) => status === "rolled_back"),
    failed: count(({ status }) => status === "failed"),
    pending: count(({ status }) => status === "pending"),
    missing: count(({ hasRollback }) => !hasRollback),
    rollbackable: count(({ canRollBack }) => canRollBack),
  };
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A version that some migration has, or that sorts among them, goes before a time: versions are often times. */
function sinceTest(since: string, rows: readonly MigrationRow[], now: Date): (row: MigrationRow) => boolean {
  const [, number, unit] = /^(\d+)\s*(m|h|d|w)$/.exec(since) ?? [];
  if (number !== undefined) return appliedSince(new Date(now.getTime() - Number(number) * unitMs[unit!]!));
  if (/^\d{4}-\d\d-\d\d([T ].*)?$/.test(since)) {
    const time = new Date(/[T ]/.test(since) ? since : `${since}T00:00:00Z`);
    if (!Number.isNaN(time.getTime())) return appliedSince(time);
  }
  const named = rows.find(({ migration }) => migration === since)?.version ?? since;
  if (/^\d+([._]\d+)*$/.test(named))
    return ({ version, status }) => status !== "pending" && compareVersions(version, named) >= 0;
  throw new BelayError("usage", `--since ${since} is neither a version, a date nor a duration`, {
    hint: "For example --since 20250120140000, --since 2025-01-20, --since 36h or --since 7d.",
  });
}

function appliedSince(time: Date): (row: MigrationRow) => boolean {
  return ({ appliedAt }) => appliedAt !== null && Date.parse(appliedAt) >= time.getTime();
}
