import type { Settings } from "../../config.ts";
import { BelayError } from "../../errors.ts";
import { isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { isLockFailure } from "../transaction/locks.ts";
import {
  requireSameTransaction,
  resetSurroundings,
  rollbackSqlError,
  runRollbackSql,
  type Surroundings,
} from "../transaction/run-sql.ts";
import type { Plan, PlannedMigration } from "../types.ts";
import { runAssertions } from "./assertions.ts";

/**
 * Runs the set's rollback SQL one after another, each as on a connection of its own; what one migration's VERIFY section
 * says is asked as soon as it is gone, that of the last one when all is judged. Throws lock failures as they are.
 */
export async function runUnits(
  session: Session,
  settings: Settings,
  plan: Plan,
  surroundings: Surroundings,
  xid: string,
): Promise<void> {
  const units = unitsOf(plan);
  for (const [at, unit] of units.entries()) {
    try {
      await runRollbackSql(session, unit.sql, surroundings);
      await resetSurroundings(session, settings);
    } catch (error) {
      if (isLockFailure(error) || isConnectionLost(error) || error instanceof BelayError) throw error;
      throw rollbackSqlError(error, unit.migration, unit.sql);
    }
    await requireSameTransaction(session, xid);
    if (at < units.length - 1) await runAssertions(session, unit.migration);
  }
}

/** The migrations whose own rollback SQL runs, in that order. */
export function unitsOf(plan: Plan): PlannedMigration[] {
  return plan.migrations.filter(({ reversedBy }) => reversedBy === null);
}

/** Names of all that go, oldest first. */
export function namesOf(plan: Plan): string[] {
  return plan.migrations.map(({ migration }) => migration).reverse();
}

/** Who goes, in a sentence: `20250102_orders`, `20250102_orders and 2 more`. */
export function planSubject({ migration, migrations }: Plan): string {
  return migrations.length > 1 ? `${migration} and ${migrations.length - 1} more` : migration;
}
