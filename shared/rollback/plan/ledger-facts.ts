import { migrationsOfDeployment } from "../../deployments/brought.ts";
import { readLedger } from "../../migrations/ledger/ledger.ts";
import type { Session } from "../../postgres/session.ts";
import { listed } from "../../words.ts";
import { type MigrationSet, resolveSet } from "./set.ts";
import type { TargetRequest } from "./target.ts";

export { nearNames } from "./near-names.ts";

/** A migration outside of the set that needs one of the set, or one that needs it, and is still applied. */
export interface Dependent {
  readonly migration: string;
  readonly version: string;
  readonly found: "declared" | "catalog";
  readonly why: string;
}

/**
 * Reads the ledger and finds the migrations that are to go: the rollback SQL is the ledger's, never the checkout's.
 * Throws `unknown_migration` naming near matches, `unknown_deployment`, or `usage` when nothing is left to go.
 */
export async function readSet(session: Session, request: TargetRequest): Promise<MigrationSet> {
  const ledger = await readLedger(session);
  const deployed =
    request.deployment === undefined ? null : await migrationsOfDeployment(session.sql, request.deployment);
  return resolveSet(ledger, request, deployed);
}

/** Applied migrations outside of the set that depend on it, directly or through others; newest first. */
export async function readDependents(session: Session, names: readonly string[]): Promise<Dependent[]> {
  const dependents = await session.sql`
    with recursive needs as (
      select d.migration_name as name, d.found, d.why, d.depends_on
        from belay.migration_dependencies d join belay.migration_history h using (migration_name)
       where d.migration_name <> all(${[...names]}::text[]) and h.status <> 'rolled_back'
    ), standing (name) as (
      select name from needs where depends_on = any(${[...names]}::text[])
      union
      select needs.name from standing join needs on needs.depends_on = standing.name
    )
    select n.name as migration, h.migration_version as version, min(n.found) as found,
           array_agg(distinct n.why order by n.why) as reasons
      from standing join needs n using (name) join belay.migration_history h on h.migration_name = n.name
     where n.depends_on = any(${[...names]}::text[]) or n.depends_on in (select name from standing)
     group by n.name, h.migration_version
     order by h.migration_version desc, n.name desc`;
  return dependents.map((each) => ({
    migration: each.migration,
    version: each.version,
    found: each.found,
    why: listed(each.reasons, 3, "; "),
  }));
}
