import type { Manifest } from "../../archive/types.ts";
import type { CatalogDifference } from "../../catalog/types.ts";
import { listed, plural } from "../../words.ts";
import type { ChecklistItem } from "../gate-types.ts";
import type { RollbackReport } from "../types.ts";

interface ReportParts {
  readonly rollbackId: string;
  readonly kind: "rollback" | "undo";
  readonly migration: string;
  readonly migrations: readonly string[];
  readonly actor: string;
  readonly reason: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly manifest: Manifest | null;
  readonly difference: CatalogDifference;
  readonly attempts: number;
  readonly criticalSectionMs: number;
  readonly lockedMs?: number;
  readonly endState: RollbackReport["endState"];
  readonly preserved?: RollbackReport["preserved"] | null;
  readonly notes: readonly string[];
  /** Of the plan. */
  readonly checklist?: readonly ChecklistItem[];
}

/** What one execution did, from the manifest and the difference between the catalogs before and after. */
export function rollbackReport(parts: ReportParts): RollbackReport {
  const { manifest, difference } = parts;
  const tables = manifest?.tables ?? [];
  return {
    rollbackId: parts.rollbackId,
    kind: parts.kind,
    migration: parts.migration,
    migrations: [...parts.migrations],
    outcome: "committed",
    archiveId: manifest?.id ?? null,
    actor: parts.actor,
    reason: parts.reason,
    startedAt: parts.startedAt.toISOString(),
    finishedAt: parts.finishedAt.toISOString(),
    attempts: parts.attempts,
    criticalSectionMs: Math.round(parts.criticalSectionMs),
    ...(parts.lockedMs === undefined ? {} : { lockedMs: Math.round(parts.lockedMs) }),
    tables: tables
      .filter(({ role }) => role === "table")
      .map(({ schema, table, rows, digest }) => ({ schema, table, rows, digest })),
    columns: tables.flatMap(({ mergesInto, rows }) =>
      mergesInto === null
        ? []
        : [{ schema: mergesInto.schema, table: mergesInto.table, columns: mergesInto.columns, rows }],
    ),
    objects: [
      ...difference.removed.map(({ key }) => ({ key, change: "destroyed" as const })),
      ...difference.changed.map(({ before }) => ({ key: before.key, change: "changed" as const })),
      ...difference.added.map(({ key }) => ({ key, change: "created" as const })),
    ],
    sequences: (manifest?.sequences ?? []).map(({ schema, name, lastValue }) => ({ schema, name, lastValue })),
    endState: parts.endState,
    ...(parts.preserved ? { preserved: parts.preserved } : {}),
    ...(parts.checklist === undefined ? {} : { checklist: parts.checklist.map((item) => exported(item, manifest)) }),
    notes: [...parts.notes],
  };
}

/**
 * The report with how long the locks were held, as of now: COMMIT was answered. `sectionAt`: when the SQL's first lock was asked for,
 * `lockedAt`: when the first table lock was, by performance.now().
 */
export function withLockTimes(
  report: RollbackReport,
  { sectionAt, lockedAt }: { readonly sectionAt: number; readonly lockedAt: number | null },
): RollbackReport {
  const now = performance.now();
  return {
    ...report,
    criticalSectionMs: Math.round(now - sectionAt),
    lockedMs: Math.round(now - (lockedAt ?? sectionAt)),
  };
}

/** What the plan promised of the archive, as it came out. */
function exported(item: ChecklistItem, manifest: Manifest | null): ChecklistItem {
  if (item.id !== "data_exported") return item;
  if (manifest === null) return { ...item, answer: "yes", evidence: "nothing was lost that would have to be" };
  const rows = manifest.tables.map((each) => `${each.schema}.${each.table}: ${plural(each.rows, "row")}`);
  const what = rows.length === 0 ? "definitions alone" : listed(rows);
  return { ...item, answer: "yes", evidence: `archive ${manifest.id}, every byte read back: ${what}` };
}
