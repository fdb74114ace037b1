import { BelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import {
  backOff,
  findBlockers,
  isLockFailure,
  type LockTarget,
  lockNotObtained,
  lockTables,
  takeAdvisoryLock,
} from "../transaction/locks.ts";
import { beginLimited } from "../transaction/timeouts.ts";
import type { Plan } from "../types.ts";
import type { Attempt } from "./types.ts";

/** Advisory lock, then the tables that lose or change rows; bounded attempts, each a new transaction with its limits. */
export async function lockWithRetries(
  attempt: Attempt,
  session: Session,
  widen: ReadonlySet<number>,
): Promise<LockTarget[]> {
  const { settings } = attempt.belay;
  const targets = await lockTargets(session, attempt.plan, widen);
  for (let tries = 1; ; tries++) {
    try {
      await beginLimited(session, settings);
      await takeAdvisoryLock(session);
      await lockTables(session, targets);
      return targets;
    } catch (error) {
      if (!isLockFailure(error) || error instanceof BelayError) throw error;
      const oids = targets.map(({ oid }) => oid);
      const blockers = await findBlockers(attempt.control, session.pid, oids, false);
      await session.run("rollback");
      if (tries >= settings.lockAttempts)
        throw lockNotObtained(
          targets.map(({ schema, table }) => `${schema}.${table}`).join(", "),
          tries,
          blockers,
          error,
        );
      attempt.belay.report({
        phase: "lock",
        message: `waiting for locks, attempt ${tries} of ${settings.lockAttempts}`,
      });
      await backOff(tries);
    }
  }
}

async function lockTargets(session: Session, plan: Plan, widen: ReadonlySet<number>): Promise<LockTarget[]> {
  const taken = [...plan.effect.tables, ...plan.effect.columns, ...plan.alsoArchived];
  const oids = [...taken.map(({ oid }) => oid), ...widen];
  const rows = await session.sql`
    select c.oid::int8::text as oid, n.nspname as schema, c.relname as table
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = any(${oids.map(String)}::text[]::oid[]) and c.relkind in ('r', 'p')`;
  return rows.map((row) => ({ oid: Number(row.oid), schema: row.schema, table: row.table }));
}
