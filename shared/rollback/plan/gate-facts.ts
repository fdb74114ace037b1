import { createHash } from "node:crypto";
import type { Belay } from "../../context.ts";
import type { ProofVerdict } from "../../migrations/prove/types.ts";
import type { Session } from "../../postgres/session.ts";
import { type DumpFact, findNewestDump } from "./newest-dump.ts";
import type { Person } from "./people.ts";

/** A finished drill of a whole-database archive. */
export interface DrillFact {
  readonly archiveId: string;
  readonly verdict: string;
  readonly summary: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export interface ProofFact {
  readonly verdict: ProofVerdict;
  readonly at: string;
}

export interface RehearsalFact {
  readonly migration: string;
  /** The newest of this very forward and rollback SQL. */
  readonly proof: ProofFact | null;
  /** Another text of the same migration was rehearsed. */
  readonly otherText: boolean;
}

export interface NotificationFact {
  readonly planHash: string;
  /** Host of the address that took it. */
  readonly address: string;
  readonly status: number;
  readonly actor: string;
  readonly sentAt: string;
}

export interface ApprovalFact extends Person {
  readonly planHash: string;
  readonly reason: string;
  readonly at: string;
  /** Rows that would have gone, as the approver saw. */
  readonly rows: number;
  /** Whether Supabase Auth still gives the user the role approver; null: it cannot be asked here. */
  readonly approverNow: boolean | null;
}

/** Evidence for gates from outside of the migration: backups, drills, rehearsals, people. */
export interface GateFacts {
  /** The database's clock. */
  readonly now: string;
  readonly dump: DumpFact;
  /** Newest first. */
  readonly drills: readonly DrillFact[];
  readonly rehearsals: readonly RehearsalFact[];
  readonly notifications: readonly NotificationFact[];
  readonly approvals: readonly ApprovalFact[];
  /** Who asks, and would roll back. */
  readonly executor: Person;
}

export interface GateFactsRequest {
  /** All that go together, with the rollback SQL's migration first. */
  readonly migrations: readonly {
    readonly name: string;
    readonly checksum: string;
    readonly rollbackSql: string | null;
  }[];
  readonly target: { readonly systemIdentifier: string; readonly databaseOid: number };
  /** Found before: under locks the store is not asked again. */
  readonly dump?: DumpFact;
}

/** Reads the evidence that gates rest on, one query per need, on the plan's session. */
export async function readGateFacts(session: Session, belay: Belay, request: GateFactsRequest): Promise<GateFacts> {
  const names = request.migrations.map(({ name }) => name);
  const [who] = await session.sql`select session_user::text as role, clock_timestamp() as now`;
  return {
    now: who!.now.toISOString(),
    dump: request.dump ?? (await findNewestDump(belay, request.target)),
    drills: await readDrills(session),
    rehearsals: await readRehearsals(session, request.migrations),
    notifications: await readNotifications(session, names),
    approvals: await readApprovals(session, names),
    executor: { actor: belay.actor, subject: belay.subject ?? null, databaseRole: who!.role },
  };
}

async function readDrills(session: Session): Promise<DrillFact[]> {
  const rows = await session.sql`
    select archive_id, verdict, summary, started_at, finished_at from belay.drills
     where archive_id like 'dump-%' and verdict <> 'running' and finished_at is not null
     order by finished_at desc limit 20`;
  return rows.map((row) => ({
    archiveId: row.archive_id,
    verdict: row.verdict,
    summary: row.summary,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at.toISOString(),
  }));
}

async function readRehearsals(session: Session, migrations: GateFactsRequest["migrations"]): Promise<RehearsalFact[]> {
  const rows = await session.sql`
    select distinct on (migration_name, checksum, rollback_checksum)
           migration_name as name, checksum, rollback_checksum, verdict, created_at
      from belay.proofs where migration_name = any(${migrations.map(({ name }) => name)}::text[])
     order by migration_name, checksum, rollback_checksum, created_at desc`;
  return migrations.map(({ name, checksum, rollbackSql }) => {
    const own = rows.filter((row) => row.name === name);
    const rollback = rollbackSql === null ? null : createHash("sha256").update(rollbackSql).digest("hex");
    const same = own.find((row) => row.checksum === checksum && row.rollback_checksum === rollback);
    return {
      migration: name,
      proof: same === undefined ? null : { verdict: same.verdict, at: same.created_at.toISOString() },
      otherText: same === undefined && own.length > 0,
    };
  });
}

async function readNotifications(session: Session, names: readonly string[]): Promise<NotificationFact[]> {
  const rows = await session.sql`
    select plan_hash, address, status, actor, sent_at from belay.notifications
     where migration_name = any(${[...names]}::text[]) and status between 200 and 299
     order by sent_at desc limit 50`;
  return rows.map((row) => ({
    planHash: row.plan_hash,
    address: row.address,
    status: row.status,
    actor: row.actor,
    sentAt: row.sent_at.toISOString(),
  }));
}

/** Approvals of plans of these migrations, newest first. */
export async function readApprovals(session: Session, names: readonly string[]): Promise<ApprovalFact[]> {
  const rows = await session.sql`
    select plan_hash, actor, subject, database_role::text as role, reason, rows::float8 as rows, created_at
      from belay.approvals
     where decision = 'approved' and migration_name = any(${[...names]}::text[])
     order by created_at desc limit 50`;
  const roles = await currentRoles(
    session,
    rows.flatMap((row) => (row.subject === null ? [] : [row.subject])),
  );
  return rows.map((row) => ({
    planHash: row.plan_hash,
    actor: row.actor,
    subject: row.subject,
    databaseRole: row.role,
    reason: row.reason,
    rows: row.rows,
    at: row.created_at.toISOString(),
    approverNow: roles === null || row.subject === null ? null : roles.get(row.subject) === "approver",
  }));
}

/** The role that Supabase Auth holds for each user now; null where it is not kept or may not be read. */
async function currentRoles(session: Session, subjects: readonly string[]): Promise<Map<string, string | null> | null> {
  if (subjects.length === 0) return null;
  const [readable] = await session.sql`
    select count(*) = 4 as yes
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'auth' and c.relname = 'users' and not a.attisdropped
       and has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select')
       and a.attname in ('id', 'raw_app_meta_data', 'banned_until', 'deleted_at')`;
  if (!readable!.yes) return null;
  const rows = await session.sql`
    select id::text as id, raw_app_meta_data ->> 'role' as role from auth.users
     where id::text = any(${[...new Set(subjects)]}::text[])
       and deleted_at is null and coalesce(banned_until <= now(), true)`;
  return new Map(rows.map((row) => [row.id as string, row.role as string | null]));
}
