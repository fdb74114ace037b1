import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { decodeTimeCursor, encodeCursor, type Page, pageOf } from "../shared/paging.ts";
import type { Sql } from "../shared/postgres/session.ts";
import { withSession } from "../shared/with-session.ts";
import type { DrillCheck, DrillReport } from "./types.ts";

export interface DrillQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly schedule?: string;
  readonly archiveId?: string;
}

/** Drills, newest first, each with its checks. */
export async function listDrills(belay: Belay, query: DrillQuery): Promise<Page<DrillReport>> {
  const after = query.cursor === undefined ? null : decodeTimeCursor(query.cursor);
  return withSql(belay, async (sql) => {
    const rows = await sql`
      select *, started_at::text as sort from belay.drills
      where (${query.schedule ?? null}::text is null or schedule_name = ${query.schedule ?? null})
        and (${query.archiveId ?? null}::text is null or archive_id = ${query.archiveId ?? null})
        and (${after === null} or (started_at, id::text) < (${after?.sort ?? null}::timestamptz, ${after?.id ?? null}))
      order by started_at desc, id::text desc limit ${query.limit + 1}`;
    const checks = await checksOf(
      sql,
      rows.map((row) => row.id as string),
    );
    const page = pageOf(rows, query.limit, (row) => encodeCursor(row.sort, row.id));
    return { items: page.items.map((row) => reportOf(row, checks.get(row.id) ?? [])), next: page.next };
  });
}

/** One drill with its checks; throws `unknown_drill`. */
export async function readDrill(belay: Belay, drillId: string): Promise<DrillReport> {
  return withSql(belay, async (sql) => {
    const [row] = await sql`select * from belay.drills where id::text = ${drillId}`;
    if (row === undefined)
      throw new BelayError("unknown_drill", `there is no drill ${drillId}`, { hint: "See the list of drills." });
    return reportOf(row, (await checksOf(sql, [drillId])).get(drillId) ?? []);
  });
}

async function checksOf(sql: Sql, drillIds: readonly string[]): Promise<Map<string, DrillCheck[]>> {
  const rows = await sql`
    select drill_id, name, state, evidence, milliseconds from belay.drill_checks
    where drill_id = any(${drillIds as string[]}::uuid[]) order by drill_id, position`;
  const checks = new Map<string, DrillCheck[]>();
  for (const { drill_id, name, state, evidence, milliseconds } of rows) {
    const list = checks.get(drill_id) ?? [];
    list.push({ name, state, evidence, milliseconds });
    checks.set(drill_id, list);
  }
  return checks;
}

function reportOf(row: Record<string, unknown>, checks: DrillCheck[]): DrillReport {
  const iso = (value: unknown) => (value as Date | null)?.toISOString() ?? null;
  return {
    drillId: row.id as string,
    archiveId: row.archive_id as string,
    schedule: row.schedule_name as string | null,
    dueAt: iso(row.due_at),
    verdict: row.verdict as DrillReport["verdict"],
    summary: row.summary as string,
    scratchDatabase: row.scratch_database as string | null,
    checks,
    phases: row.phases as DrillReport["phases"],
    actor: row.actor as string,
    startedAt: iso(row.started_at)!,
    finishedAt: iso(row.finished_at),
  };
}

function withSql<T>(belay: Belay, work: (sql: Sql) => Promise<T>): Promise<T> {
  return withSession(belay, "belay drills", (session) => work(session.sql));
}
