import { findTrackingTables } from "../migrations/tracking/tables.ts";
import type { TrackingTable } from "../migrations/types.ts";
import type { Session } from "../postgres/session.ts";
import { catalogDigest, entryKey } from "./entry.ts";
import { creationOrder } from "./order.ts";
import { readCatalog } from "./read.ts";
import { type StateSeries, startSeries, storeState } from "./states.ts";
import { fromStored } from "./stored-entry.ts";
import type { Catalog, Entry } from "./types.ts";
import { type CatalogWatch, watchCatalog } from "./watch.ts";

/** Schemas that no snapshot takes in: Belay's own, and that of Supabase's tracking table. */
export const snapshotExcludes = ["belay", "supabase_migrations"] as const;

export interface SnapshotFacts {
  /** null: a state of the database that is not tied to a migration, such as the one at install. */
  readonly migration: string | null;
  readonly moment: "before" | "after" | "manual";
  readonly origin: "live" | "replayed";
  readonly description?: string;
  readonly actor?: string;
}

/** Reads the catalog as snapshots hold it: without Belay, and without the tool's own tracking tables and what hangs on them. */
export async function readSnapshotCatalog(session: Session): Promise<Catalog> {
  const catalog = await readCatalog(session, { excludeSchemas: snapshotExcludes });
  return withoutTables(catalog, await findTrackingTables(session));
}

/** Reads it again and again through one session while it changes; equal to what readSnapshotCatalog gives. */
export function watchSnapshotCatalog(session: Session): CatalogWatch {
  const watch = watchCatalog(session, { excludeSchemas: snapshotExcludes });
  return { read: async () => withoutTables(await watch.read(), await findTrackingTables(session)) };
}

/** A catalog without some tables, their sequences and all that needs them. */
export function withoutTables(catalog: Catalog, tables: readonly Pick<TrackingTable, "schema" | "table">[]): Catalog {
  const gone = new Set(
    tables.flatMap(({ schema, table }) =>
      [
        ["TABLE", table],
        ["SEQUENCE", `${table}_id_seq`],
      ].map(([kind, name]) => entryKey({ kind: kind!, schema, name: name!, owner: null })),
    ),
  );
  if (gone.size === 0) return catalog;
  for (let before = -1; before !== gone.size; ) {
    before = gone.size;
    for (const entry of catalog.entries) if (entry.dependencies.some((key) => gone.has(key))) gone.add(entry.key);
  }
  const entries = catalog.entries.filter((entry) => !gone.has(entry.key));
  return entries.length === catalog.entries.length ? catalog : { ...catalog, entries, digest: catalogDigest(entries) };
}

/**
 * Stores a snapshot and answers its id; entries, and states that were stored before, are shared. In a series of one
 * transaction (`startSeries`) each is told by what changed since the one before it.
 */
export async function storeSnapshot(
  session: Session,
  catalog: Catalog,
  facts: SnapshotFacts,
  series: StateSeries = startSeries(),
): Promise<string> {
  const state = await storeState(session, catalog, series);
  const [row] = await session.sql`
    insert into belay.snapshots (migration_name, moment, origin, description, digest, state, unknown, created_by)
    values (${facts.migration}, ${facts.moment}, ${facts.origin}, ${facts.description ?? ""}, ${catalog.digest},
      ${state}, ${JSON.stringify(catalog.unknown)}::text::jsonb, coalesce(${facts.actor ?? null}::text, current_user))
    returning id`;
  await recordChanges(session, facts);
  return row!.id as string;
}

/** The newest snapshot of a migration at a moment, from which a catalog can be restored; null when there is none. */
export async function readSnapshot(
  session: Session,
  migration: string,
  moment: "before" | "after",
): Promise<(Catalog & { readonly origin: "live" | "replayed" }) | null> {
  const [row] = await session.sql`
    select id, origin from belay.snapshots
    where migration_name = ${migration} and moment = ${moment} and origin in ('live', 'replayed')
    order by created_at desc limit 1`;
  if (row === undefined) return null;
  const catalog = await readSnapshotById(session, row.id);
  return { ...catalog, origin: row.origin };
}

/** A stored snapshot by id, in creation order. */
export async function readSnapshotById(session: Session, id: string): Promise<Catalog> {
  const [head] = await session.sql`
    select s.digest, s.unknown::text as unknown,
      (select '[' || string_agg(e.entry::text, ',') || ']' from belay.state_entries(s.state) i join belay.snapshot_entries e on e.id = i) as entries
    from belay.snapshots s where s.id = ${id}`;
  const stored = JSON.parse(head!.entries ?? "[]") as Entry[];
  return { entries: creationOrder(stored.map(fromStored)), unknown: JSON.parse(head!.unknown), digest: head!.digest };
}

/** Makes a stored snapshot that of another migration and moment too, without reading it. */
export async function copySnapshot(session: Session, id: string, facts: SnapshotFacts): Promise<void> {
  await session.sql`
    insert into belay.snapshots (migration_name, moment, origin, description, digest, state, unknown, created_by)
    select ${facts.migration}, ${facts.moment}, origin, ${facts.description ?? ""}, digest, state, unknown,
      coalesce(${facts.actor ?? null}::text, current_user)
    from belay.snapshots where id = ${id}`;
  await recordChanges(session, facts);
}

async function recordChanges(session: Session, { migration, moment }: SnapshotFacts): Promise<void> {
  if (migration !== null && moment !== "manual") await session.sql`select belay.record_changes(${migration})`;
}
