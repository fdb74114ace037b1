import { readSnapshotPair } from "../../catalog/snapshot-pair.ts";
import { compareMigrations } from "../../migrations/layouts/source.ts";
import type { Session } from "../../postgres/session.ts";
import { runsOf } from "../plan/runs.ts";
import type { Snapshots } from "./end-state.ts";

/**
 * Snapshots around what goes: before the first and after the last of every run of migrations that follow one another,
 * oldest run first; only entries that these changed, and those of `keys`. Null unless all are there.
 */
export async function readSnapshots(
  session: Session,
  migrations: readonly string[],
  keys: readonly string[],
): Promise<Snapshots[] | null> {
  const snapshots: Snapshots[] = [];
  for (const run of await readRuns(session, migrations)) {
    const pair = await readSnapshotPair(session, run.at(0)!, run.at(-1)!, keys);
    if (pair === null) return null;
    snapshots.push(pair);
  }
  return snapshots;
}

async function readRuns(session: Session, migrations: readonly string[]): Promise<string[][]> {
  if (migrations.length === 1) return [[...migrations]];
  const rows = await session.sql<{ name: string; version: string }[]>`
    select migration_name as name, migration_version as version from belay.migration_history
     where status <> 'rolled_back' or migration_name = any(${[...migrations]}::text[])`;
  return runsOf(
    new Set(migrations),
    [...rows].sort(compareMigrations).map(({ name }) => name),
  );
}
