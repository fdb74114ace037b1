import { readSource } from "../../archive/write/source.ts";
import { BelayError } from "../../errors.ts";
import { readLedger } from "../../migrations/ledger/ledger.ts";
import { resolveName } from "../../migrations/resolve.ts";
import type { Session } from "../../postgres/session.ts";
import { type Around, aroundSchema, type TimelineEvent } from "../hooks/types.ts";
import { type RollbackReport, rollbackReportSchema } from "../types.ts";
import { type Incident, type RecordedPlan, recordedPlanSchema } from "./types.ts";

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Everything on record of one rollback or undo. */
export interface IncidentRecords {
  readonly rollbackId: string;
  readonly kind: Incident["kind"];
  readonly outcome: Incident["outcome"];
  readonly migration: string;
  /** By the plan; empty where the record has none. */
  readonly planned: readonly string[];
  readonly undoes: string | null;
  readonly actor: string;
  readonly reason: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly planHash: string;
  readonly plan: RecordedPlan | null;
  readonly report: RollbackReport | null;
  readonly error: Incident["error"];
  readonly events: readonly TimelineEvent[];
  readonly around: Around | null;
  readonly archive: Incident["archive"];
  readonly agreements: Incident["agreements"];
  readonly undone: Incident["undo"]["undone"];
  readonly database: Incident["database"];
}

/** Reads them by id or migration; throws `unknown_rollback`. `latest` is the newest that was begun. */
export async function readRecords(session: Session, asked: string): Promise<IncidentRecords> {
  const { sql } = session;
  const byId = asked === "latest" || uuid.test(asked);
  const name = byId ? null : (resolveName(asked, await readLedger(session)) ?? asked);
  const [row] = await sql`
    select *, case kind when 'undo' then coalesce(plan -> 'migrations', '[]')
                else jsonb_path_query_array(plan, '$.migrations[*].migration') end as planned
      from belay.rollbacks where ${asked} = 'latest' or id::text = lower(${asked}) or migration_name = ${name}
          or (kind = 'rollback' and jsonb_path_query_array(plan, '$.migrations[*].migration') ? ${name ?? ""})
          or (kind = 'undo' and plan -> 'migrations' ? ${name ?? ""})
     order by started_at desc, id desc limit 1`;
  if (row === undefined)
    throw new BelayError(
      "unknown_rollback",
      asked === "latest"
        ? "nothing was rolled back here yet"
        : `there is no rollback ${asked}${byId ? "" : ", and none of a migration of that name"}`,
      { hint: "See `belay list --rolled-back` and `belay incident latest`." },
    );
  const { id } = row;
  const report = rollbackReportSchema.safeParse(row.report);
  const plan = recordedPlanSchema.safeParse(row.plan);
  const events = await sql`
    select at, event, state, evidence, details from belay.rollback_events where rollback_id = ${id} order by at, id`;
  const source = await readSource(session);
  return {
    rollbackId: id,
    kind: row.kind,
    outcome: row.outcome,
    migration: row.migration_name,
    planned: row.planned,
    undoes: row.undoes,
    actor: row.actor,
    reason: row.reason,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    planHash: row.plan_hash,
    plan: plan.success ? plan.data : null,
    report: report.success ? report.data : null,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message, hint: row.error_hint },
    events: events.map(({ at, event, state, evidence }) => ({ at: at.toISOString(), event, state, evidence })),
    around: aroundOf(events),
    archive: await archiveOf(session, row.archive_id),
    agreements: await agreementsOf(session, row.plan_hash, row.finished_at),
    undone: await undoneBy(session, id),
    database: { name: source.database, systemIdentifier: source.systemIdentifier, serverVersion: source.serverVersion },
  };
}

/** The run writes the whole at its end; a killed one left only the single events. */
function aroundOf(events: readonly Record<string, unknown>[]): Around | null {
  const whole = events.findLast(({ event }) => event === "around");
  const parsed = aroundSchema.safeParse(whole?.details);
  return parsed.success ? parsed.data : null;
}

async function archiveOf({ sql }: Session, archiveId: string | null): Promise<Incident["archive"]> {
  if (archiveId === null) return null;
  const [row] = await sql`
    select *, rows::float8 as rows, bytes::float8 as bytes from belay.archives where id = ${archiveId}`;
  if (row === undefined) return null;
  return {
    id: row.id,
    store: row.store_url,
    manifestSha256: row.manifest_sha256,
    verifiedAt: row.verified_at.toISOString(),
    rows: row.rows,
    bytes: row.bytes,
  };
}

async function agreementsOf({ sql }: Session, planHash: string, until: Date | null): Promise<Incident["agreements"]> {
  if (planHash === "") return [];
  const rows = await sql`
    select actor, decision, gate, reason, database_role, created_at from belay.approvals
     where plan_hash = ${planHash} and (${until}::timestamptz is null or created_at <= ${until}) order by created_at`;
  return rows.map((row) => ({
    actor: row.actor,
    decision: row.decision,
    gate: row.gate,
    reason: row.reason,
    databaseRole: row.database_role,
    at: row.created_at.toISOString(),
  }));
}

async function undoneBy({ sql }: Session, rollbackId: string): Promise<Incident["undo"]["undone"]> {
  const [row] = await sql`
    select id, actor, reason, finished_at from belay.rollbacks where undoes = ${rollbackId} and outcome in ('committed', 'undone')
     order by finished_at desc limit 1`;
  return row === undefined
    ? null
    : { rollbackId: row.id, actor: row.actor, reason: row.reason, at: row.finished_at.toISOString() };
}
