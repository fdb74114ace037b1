import type { Belay } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import { callHook } from "../hooks/call.ts";
import { giveBack, takeOver } from "../hooks/journal.ts";
import { settleMaintenance } from "../hooks/maintenance.ts";
import { afterCall, type Ending } from "../hooks/message.ts";
import { keepIncident } from "./keep.ts";
import { type IncidentRecords, readRecords } from "./records.ts";

const most = 10;

/**
 * Does what processes that were killed still owe: maintenance off, the after hook (under its own id, so that whoever got it
 * knows it again), the incident report. What a living process works on is left to it. Never throws.
 */
export async function settleAround(belay: Belay, session: Session): Promise<void> {
  try {
    await settleMaintenance(session);
    const owed = await session.sql`
      select r.id from belay.rollbacks r
       where r.outcome in ('committed', 'failed', 'undone') and r.started_at > clock_timestamp() - interval '30 days'
         and not exists (
           select from belay.incidents i
            where i.rollback_id = r.id and i.incident ->> 'outcome' not in ('intended', 'unknown'))
       order by r.started_at desc limit ${most}`;
    for (const { id } of owed) {
      if (!(await takeOver(session, id))) continue;
      try {
        await settleOne(belay, session, id);
      } finally {
        await giveBack(session, id);
      }
    }
  } catch {
    // The next run settles it.
  }
}

async function settleOne(belay: Belay, session: Session, rollbackId: string): Promise<void> {
  const records = await readRecords(session, rollbackId);
  await tellHook(belay, session, records);
  await keepIncident(belay, session, rollbackId);
}

async function tellHook(belay: Belay, session: Session, records: IncidentRecords): Promise<void> {
  const { hookAfter, hookSecret, policy } = belay.settings;
  const happened = (event: string) => records.events.some((each) => each.event === event);
  if (hookAfter === undefined || !happened("hook_before") || happened("hook_after")) return;
  const { rollbackId, kind, actor, reason, plan, report, planned, migration } = records;
  const migrations = planned.length > 0 ? planned : [migration];
  const { attempts, timeoutMs, totalMs } = policy.hooks;
  const result = await callHook(
    { url: hookAfter, secret: hookSecret! },
    afterCall({ rollbackId, kind, migrations, actor, reason, planned: plannedOf(plan) }, endingOf(records, report)),
    { attempts, timeoutMs, totalMs },
    belay.now,
  );
  const { sql } = session;
  await sql`
    insert into belay.rollback_events (rollback_id, at, event, state, evidence, details)
    values (${rollbackId}, clock_timestamp(), 'hook_after', ${result.state === "taken" ? "done" : "failed"},
            ${`${result.address}: ${result.evidence}; called by a later run`}, ${sql.json(result as never)})`;
}

function plannedOf(plan: IncidentRecords["plan"]) {
  return plan === null ? null : { planHash: plan.hash, risk: plan.risk };
}

function endingOf({ outcome, error }: IncidentRecords, report: IncidentRecords["report"]): Ending {
  const ended = outcome === "committed" || outcome === "undone" ? outcome : "failed";
  return { outcome: ended, report, errorCode: error?.code ?? null, health: null };
}
