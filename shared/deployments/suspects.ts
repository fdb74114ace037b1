import type { Sql } from "../postgres/session.ts";

/** Hours looked back when no good deployment is known. */
export const fallbackHours = 24;

export interface Suspects {
  /** Names of applied migrations, newest first: the order in which they would be rolled back. */
  readonly migrations: readonly string[];
  /** When the last good deployment happened, ISO 8601; null when none is known. */
  readonly lastGoodAt: string | null;
}

/** The migrations applied since the last good deployment to the same target and before now. */
export async function migrationsSinceLastGood(
  sql: Sql,
  failed: { readonly target: string | null; readonly occurredAt: Date },
): Promise<Suspects> {
  const [good] = await sql`
    select max(occurred_at) as at from belay.deployments
    where status = 'succeeded' and target is not distinct from ${failed.target} and occurred_at < ${failed.occurredAt}`;
  const lastGood: Date | null = good!.at;
  const since = lastGood ?? new Date(failed.occurredAt.getTime() - fallbackHours * 3_600_000);
  const rows = await sql`
    select migration_name from belay.migration_history
    where status = 'applied' and applied_at > ${since}
    order by applied_at desc, migration_version desc`;
  return {
    migrations: rows.map((row) => row.migration_name as string),
    lastGoodAt: lastGood === null ? null : lastGood.toISOString(),
  };
}
