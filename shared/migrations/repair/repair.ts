import { appendAudit } from "../../audit.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { requireBelay } from "../../install.ts";
import type { Session } from "../../postgres/session.ts";
import { settleEarlierAttempts } from "../../rollback/transaction/settle.ts";
import { withSession } from "../../with-session.ts";
import { listed } from "../../words.ts";
import { compareMigrations } from "../layouts/source.ts";
import { type LedgerRow, readLedger, readLedgerMigration } from "../ledger/ledger.ts";
import type { Tracking } from "../tracking/tables.ts";
import { inTransaction } from "../transaction.ts";
import { catalogEvidence, toolEvidence } from "./evidence.ts";
import { toolNotes } from "./tool-notes.ts";
import type { RepairEvidence, RepairReport, RepairWay } from "./types.ts";

export interface RepairRequest {
  readonly migration: string;
  readonly way: RepairWay;
  readonly reason: string;
  /** Settle it though the evidence speaks against it. */
  readonly force?: boolean;
}

interface Looked {
  readonly row: LedgerRow;
  readonly evidence: RepairEvidence;
  readonly tracking: Tracking | null;
}

/** Looks at what can be checked, and settles rollbacks of the migration whose outcome was open. Throws `unknown_migration`. */
export async function inspectForRepair(belay: Belay, migration: string): Promise<RepairEvidence> {
  return await withSession(belay, "belay repair", async (session) => {
    await requireBelay(session);
    return (await look(session, migration)).evidence;
  });
}

/**
 * Settles the record of a half-applied migration after a person mended the database: Belay's ledger alone, with actor
 * and reason in the audit log. Throws `gate_failed` where the evidence speaks against it, `usage` where nothing is open.
 */
export async function repairMigration(belay: Belay, request: RepairRequest): Promise<RepairReport> {
  return await withSession(belay, "belay repair", async (session) => {
    await requireBelay(session);
    const looked = await look(session, request.migration);
    const { row, evidence } = looked;
    const against = evidenceAgainst(evidence, request.way);
    if (row.status !== "failed") return nothingOpen(looked, request);
    if (against !== null && request.force !== true)
      throw new BelayError("gate_failed", `${row.name} was not settled: ${against}`, {
        hint: "Mend the database first, or settle it the other way; --force settles it all the same.",
        details: { evidence },
      });
    const to = request.way === "applied" ? "applied" : "rolled_back";
    await inTransaction(
      session,
      "settling the record",
      async () => await write(session, belay, row, to, request, evidence),
    );
    return {
      migration: row.name,
      from: row.status,
      to,
      forced: against !== null,
      evidence,
      notes: await notesOf(session, looked, request.way),
    };
  });
}

async function look(session: Session, written: string): Promise<Looked> {
  const { name } = await readLedgerMigration(session, written);
  const settled = await settleOpen(session, name);
  const row = await readLedgerMigration(session, name);
  const { evidence: tool, tracking } = await toolEvidence(session, row.version);
  const catalog = await catalogEvidence(session, name);
  const { version, status } = row;
  return { row, tracking, evidence: { migration: name, version, status, catalog, tool, settled } };
}

/** A record says `committed` in the very transaction of its rollback: where the transaction is over and it does not, it failed. */
async function settleOpen(session: Session, migration: string): Promise<RepairEvidence["settled"]> {
  const open = await session.sql`
    select id from belay.rollbacks where migration_name = ${migration} and outcome in ('intended', 'unknown')`;
  if (open.length === 0) return [];
  await settleEarlierAttempts(session);
  const ids = open.map((row) => row.id as string);
  await session.sql`
    update belay.rollbacks r
       set outcome = 'failed', report = null, error_code = 'connection_lost', error_hint = null, finished_at = clock_timestamp(),
           error_message = 'its transaction is over, and the mark that commits with it is not there'
     where r.id = any (${ids}::text[]::uuid[]) and r.outcome = 'unknown'
       and not exists (select from pg_stat_activity a where a.pid = r.backend_pid and a.backend_start <= r.started_at)`;
  const rows =
    await session.sql`select id, outcome from belay.rollbacks where id = any (${ids}::text[]::uuid[]) order by started_at`;
  return rows.map((row) => ({ rollbackId: row.id as string, outcome: row.outcome as string }));
}

function evidenceAgainst({ catalog }: RepairEvidence, way: RepairWay): string | null {
  const { looks, asAfter, asBefore, asNeither } = catalog;
  if (looks === "unknown" || looks === way) return null;
  const wrong = [...(way === "applied" ? asBefore : asAfter), ...asNeither];
  const state = way === "applied" ? "as it leaves them" : "as they were before it";
  return `${wrong.length} of its objects are not ${state}: ${listed(wrong, 5)}`;
}

async function nothingOpen({ row, evidence }: Looked, { way }: RepairRequest): Promise<RepairReport> {
  const same = (way === "applied" ? "applied" : "rolled_back") === row.status;
  if (!same && evidence.settled.length === 0)
    throw new BelayError("usage", `${row.name} is on record as ${row.status}, and nothing of it is open`, {
      hint: way === "applied" ? "`belay sync` registers what was applied." : "`belay rollback` rolls it back.",
      details: { evidence },
    });
  return { migration: row.name, from: row.status, to: row.status, forced: false, evidence, notes: [] };
}

async function write(
  session: Session,
  belay: Belay,
  row: LedgerRow,
  to: "applied" | "rolled_back",
  { way, reason, force }: RepairRequest,
  evidence: RepairEvidence,
): Promise<void> {
  const [changed] = await session.sql`
    update belay.migration_history
       set status = ${to}, notes = ${reason},
           rollback_at = case when ${to} = 'rolled_back' then now() end,
           rollback_by = case when ${to} = 'rolled_back' then ${belay.actor} end
     where migration_name = ${row.name} and status = 'failed'
    returning 1`;
  if (changed === undefined)
    throw new BelayError("plan_changed", `${row.name} was settled by someone else meanwhile`, {
      hint: "Run `belay status` to see its record.",
    });
  const details = { way, reason, force: force === true, looks: evidence.catalog.looks, tool: evidence.tool };
  await appendAudit(session, { actor: belay.actor, action: "repair", subject: row.name, details });
}

async function notesOf(session: Session, { row, evidence, tracking }: Looked, way: RepairWay): Promise<string[]> {
  const earlier = (await readLedger(session)).filter(
    (one) => one.status === "applied" && compareMigrations(one, row) < 0,
  );
  const previous = earlier.at(-1)?.version ?? null;
  return toolNotes(evidence.tool, tracking, way, { name: row.name, version: row.version, previous });
}
