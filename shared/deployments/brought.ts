import { BelayError } from "../errors.ts";
import type { Sql } from "../postgres/session.ts";
import { fallbackHours } from "./suspects.ts";

/**
 * Applied migrations that came with a deployment: those since the last good one to the same target before it. For a
 * good deployment up to its own time, for a failed one up to the next good one. Throws `unknown_deployment`.
 */
export async function migrationsOfDeployment(sql: Sql, id: string): Promise<string[]> {
  const [found] = await sql`
    select status, target, occurred_at from belay.deployments where id::text = ${id} or external_id = ${id}
     order by id::text = ${id} desc, occurred_at desc limit 1`;
  if (found === undefined)
    throw new BelayError("unknown_deployment", `deployment ${id} is not on record`, {
      hint: "Give Belay's id or the platform's own id of a deployment that a webhook told of; or use --to VERSION.",
      details: { deployment: id },
    });
  const rows = await sql`
    with good as (
      select occurred_at as at from belay.deployments
       where status = 'succeeded' and target is not distinct from ${found.target}
    )
    select h.migration_name as name from belay.migration_history h
     where h.status <> 'rolled_back'
       and h.applied_at > coalesce((select max(at) from good where at < ${found.occurred_at}),
                                   ${found.occurred_at}::timestamptz - make_interval(hours => ${fallbackHours}))
       and h.applied_at <= case when ${found.status === "succeeded"} then ${found.occurred_at}::timestamptz
                                else coalesce((select min(at) from good where at > ${found.occurred_at}), 'infinity') end
     order by 1`;
  return rows.map((row) => row.name as string);
}
