import { z } from "zod";
import { appendAudit } from "../../audit.ts";
import type { Belay } from "../../context.ts";
import { inTransaction } from "../../migrations/transaction.ts";
import type { Session } from "../../postgres/session.ts";
import { withSession } from "../../with-session.ts";
import { giveBack, takeOver } from "./journal.ts";

/** The row that applications may read; `active` counts only until `expectedUntil`. */
export const maintenanceSchema = z.object({
  active: z.boolean(),
  reason: z.string(),
  since: z.string().nullable(),
  expectedUntil: z.string().nullable(),
  /** Whose it is; null: a person's. */
  rollbackId: z.string().nullable(),
  setBy: z.string(),
  /** It was never switched off, and ended by itself. */
  expired: z.boolean(),
});
export type Maintenance = z.infer<typeof maintenanceSchema>;

export interface SwitchOn {
  /** null: a person's, which no rollback takes away. */
  readonly rollbackId: string | null;
  readonly message: string;
  readonly minutes: number;
  readonly actor: string;
}

/** Switches maintenance on unless somebody else has; whoever was killed counts no more. Answers whose it is now. */
export async function switchOn(
  session: Session,
  { rollbackId, message, minutes, actor }: SwitchOn,
): Promise<Maintenance> {
  await session.sql`
    update belay.maintenance m
       set active = true, reason = ${message}, since = clock_timestamp(), rollback_id = ${rollbackId}, set_by = ${actor},
           expected_until = clock_timestamp() + ${minutes} * interval '1 minute'
     where not m.active or m.expected_until <= clock_timestamp() or ${rollbackId}::uuid is null
        or exists (select from belay.rollbacks r where r.id = m.rollback_id and r.outcome not in ('intended', 'unknown'))`;
  return await readMaintenance(session);
}

/** Puts off the end; nothing when it is another's by now. */
export async function renew({ sql }: Session, rollbackId: string, minutes: number): Promise<void> {
  await sql`update belay.maintenance set expected_until = clock_timestamp() + ${minutes} * interval '1 minute'
             where active and rollback_id = ${rollbackId}`;
}

/** Switches a rollback's own off; false when it was not on, or is another's. */
export async function switchOff({ sql }: Session, rollbackId: string): Promise<boolean> {
  const rows =
    await sql`update belay.maintenance set active = false where active and rollback_id = ${rollbackId} returning 1`;
  return rows.length > 0;
}

/** Switches off what an ended rollback left on, whose process is gone. */
export async function settleMaintenance(session: Session): Promise<void> {
  const [left] = await session.sql`
    select r.id from belay.maintenance m join belay.rollbacks r on r.id = m.rollback_id
     where m.active and r.outcome not in ('intended', 'unknown')`;
  if (left === undefined || !(await takeOver(session, left.id))) return;
  await switchOff(session, left.id);
  await giveBack(session, left.id);
}

export async function readMaintenance({ sql }: Session): Promise<Maintenance> {
  const [row] = await sql`
    select *, coalesce(active and expected_until <= clock_timestamp(), false) as expired from belay.maintenance`;
  const { active, reason, since, expected_until, rollback_id, set_by, expired } = row!;
  return {
    active: active && !expired,
    reason,
    since: (since as Date | null)?.toISOString() ?? null,
    expectedUntil: (expected_until as Date | null)?.toISOString() ?? null,
    rollbackId: rollback_id,
    setBy: set_by,
    expired,
  };
}

/** Whether maintenance is on. */
export function maintenanceStatus(belay: Belay): Promise<Maintenance> {
  return withSession(belay, "belay maintenance", readMaintenance);
}

/** A person switches maintenance on, for so many minutes, whoever had it; on record. */
export function startMaintenance(
  belay: Belay,
  asked: { readonly message: string; readonly minutes: number },
): Promise<Maintenance> {
  return onRecord(belay, "maintenance.on", asked, (session) =>
    switchOn(session, { ...asked, rollbackId: null, actor: belay.actor }),
  );
}

/** A person switches maintenance off, whoever had it; on record. */
export function endMaintenance(belay: Belay): Promise<Maintenance> {
  return onRecord(belay, "maintenance.off", {}, async (session) => {
    await session.sql`update belay.maintenance set active = false`;
    return await readMaintenance(session);
  });
}

function onRecord(
  belay: Belay,
  action: string,
  details: Readonly<Record<string, unknown>>,
  work: (session: Session) => Promise<Maintenance>,
): Promise<Maintenance> {
  return withSession(belay, "belay maintenance", (session) =>
    inTransaction(session, "switching maintenance", async () => {
      const now = await work(session);
      await appendAudit(session, { actor: belay.actor, action, subject: "maintenance", details });
      return now;
    }),
  );
}
