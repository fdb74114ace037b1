import { z } from "zod";
import type { Belay } from "../context.ts";
import { BelayError } from "../errors.ts";
import { decodeTimeCursor, encodeCursor, type Page, pageOf } from "../paging.ts";
import { withSession } from "../with-session.ts";
import { rollbackOutcomes, rollbackReportSchema } from "./types.ts";

/** A rollback or undo as recorded; `report` only once it ended well, `error` only when it failed. */
export const recordedRollbackSchema = z.object({
  rollbackId: z.string(),
  kind: z.enum(["rollback", "undo"]),
  migration: z.string(),
  undoes: z.string().nullable(),
  outcome: z.enum(rollbackOutcomes),
  planHash: z.string(),
  reason: z.string(),
  actor: z.string(),
  archiveId: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  report: rollbackReportSchema.nullable(),
});
export type RecordedRollback = z.infer<typeof recordedRollbackSchema>;

export interface RollbackQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly migration?: string;
}

/** Rollbacks and undos, newest first. */
export async function listRollbacks(belay: Belay, query: RollbackQuery): Promise<Page<RecordedRollback>> {
  const after = query.cursor === undefined ? null : decodeTimeCursor(query.cursor);
  const migration = query.migration ?? null;
  return withSession(belay, "belay rollbacks", async ({ sql }) => {
    const rows = await sql`
      select *, started_at::text as sort from belay.rollbacks
      where (${migration}::text is null or migration_name = ${migration})
        and (${after === null} or (started_at, id::text) < (${after?.sort ?? null}::timestamptz, ${after?.id ?? null}))
      order by started_at desc, id::text desc limit ${query.limit + 1}`;
    const page = pageOf(rows, query.limit, (row) => encodeCursor(row.sort, row.id));
    return { items: page.items.map(recordOf), next: page.next };
  });
}

/** One rollback or undo; throws `unknown_rollback`. */
export async function readRollback(belay: Belay, rollbackId: string): Promise<RecordedRollback> {
  return withSession(belay, "belay rollbacks", async ({ sql }) => {
    const [row] = await sql`select * from belay.rollbacks where id::text = ${rollbackId}`;
    if (row !== undefined) return recordOf(row);
    throw new BelayError("unknown_rollback", `there is no rollback ${rollbackId}`, {
      hint: "See the list of rollbacks for their ids.",
    });
  });
}

function recordOf(row: Record<string, unknown>): RecordedRollback {
  const report = rollbackReportSchema.safeParse(row.report);
  return {
    rollbackId: row.id as string,
    kind: row.kind as RecordedRollback["kind"],
    migration: row.migration_name as string,
    undoes: row.undoes as string | null,
    outcome: row.outcome as RecordedRollback["outcome"],
    planHash: row.plan_hash as string,
    reason: row.reason as string,
    actor: row.actor as string,
    archiveId: row.archive_id as string | null,
    error: row.error_code === null ? null : { code: row.error_code as string, message: row.error_message as string },
    startedAt: (row.started_at as Date).toISOString(),
    finishedAt: (row.finished_at as Date | null)?.toISOString() ?? null,
    report: report.success ? report.data : null,
  };
}
