import { snapshotExcludes, withoutTables } from "../../catalog/snapshots.ts";
import type { Catalog, Entry } from "../../catalog/types.ts";
import { findDriftOf } from "../../migrations/drift/drift.ts";
import type { Drift } from "../../migrations/drift/types.ts";
import { findTrackingTables } from "../../migrations/tracking/tables.ts";
import type { Session } from "../../postgres/session.ts";
import type { ResolvedEffect } from "../effect/effect.ts";
import type { ProvenanceFacts } from "./provenance-facts.ts";

/** Drift of what a rollback touches, and of what its migrations made or changed and is not there any more. */
export async function readDrift(
  session: Session,
  effect: ResolvedEffect,
  catalog: Catalog,
  { leftThere }: ProvenanceFacts,
): Promise<Drift> {
  const { entries } = withoutTables(catalog, await findTrackingTables(session));
  const there = new Map(entries.filter((entry) => !isExcluded(entry)).map((entry) => [entry.key, entry]));
  const touched = effect.objects.filter(({ key, change }) => change !== "created" && there.has(key));
  const gone = leftThere.filter(({ key }) => !there.has(key));
  const missing = await notThere(session, gone);
  return await findDriftOf(session, [...touched.map(({ key }) => key), ...missing], [...there.values()]);
}

function isExcluded({ kind, schema, name }: Entry): boolean {
  const own: readonly string[] = snapshotExcludes;
  return own.includes(schema ?? "") || (kind === "SCHEMA" && own.includes(name));
}

/** Of keys of relations that the plan did not read, those whose relation is really gone. */
async function notThere(session: Session, left: ProvenanceFacts["leftThere"]): Promise<string[]> {
  const relations = left.filter(({ kind }) => /^((FOREIGN )?TABLE|(MATERIALIZED )?VIEW|SEQUENCE|INDEX)$/.test(kind));
  if (relations.length === 0) return [];
  const rows = await session.sql`
    select r.key from unnest(${relations.map(({ key }) => key)}::text[], ${relations.map(({ schema }) => schema)}::text[],
        ${relations.map(({ name }) => name)}::text[]) as r (key, schema, name)
     where not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = r.schema and c.relname = r.name)`;
  return rows.map((row) => row.key as string);
}
