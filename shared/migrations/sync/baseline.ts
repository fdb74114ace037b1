import { compareCatalogs } from "../../catalog/differences.ts";
import { copySnapshot, readSnapshotById, readSnapshotCatalog, storeSnapshot } from "../../catalog/snapshots.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Session } from "../../postgres/session.ts";
import { compareMigrations } from "../layouts/source.ts";

/** One snapshot that a call stored. */
export interface StoredSnapshot {
  readonly migration: string;
  readonly moment: "before" | "after";
  readonly origin: "live" | "replayed";
}

/** Stores the state before any migration is known to Belay; the first one that is registered alone has it as its before. */
export async function storeBaseline(session: Session): Promise<void> {
  const [seen] =
    await session.sql`select exists (select from belay.snapshots) or exists (select from belay.migration_history) as seen`;
  if (seen!.seen === true) return;
  const catalog = await readSnapshotCatalog(session);
  await storeSnapshot(session, catalog, { migration: null, moment: "manual", origin: "live", description: "baseline" });
}

/** Id of the state that the next migration starts from, as far as it is known, and whether it is the baseline. */
export async function latestState(session: Session): Promise<{ id: string; isBaseline: boolean } | null> {
  const rows = await session.sql<{ id: string; name: string | null; version: string; moment: string; at: Date }[]>`
    select s.id, s.migration_name as name, coalesce(h.migration_version, '') as version, s.moment, s.created_at as at
      from belay.snapshots s left join belay.migration_history h on h.migration_name = s.migration_name
     where s.origin in ('live', 'replayed')
       and ((s.moment = 'after' and h.status = 'applied') or (s.moment = 'manual' and s.origin = 'live' and h.migration_name is not null)
         or (s.migration_name is null and not exists (select from belay.migration_history)))
     order by s.created_at`;
  // By the migrations' order: a replay may store the snapshots of older ones later.
  const known = rows.filter((row) => row.moment === "after");
  const order = (row: { name: string | null; version: string }) => ({ name: row.name ?? "", version: row.version });
  const newest = known.toSorted((a, b) => compareMigrations(order(a), order(b))).at(-1);
  const later = rows.findLast((row) => row.moment === "manual" && (newest === undefined || row.at > newest.at));
  const found = later ?? newest;
  return found === undefined ? null : { id: found.id, isBaseline: found.name === null };
}

/**
 * Snapshots of a migration that was applied alone since the last known state: that state is its before, the catalog as
 * it is its after. A baseline that already equals it was taken too late, and tells nothing of before.
 */
export async function snapshotOne(
  session: Session,
  migration: string,
  live: Catalog,
  known: { id: string; isBaseline: boolean } | null,
  actor: string,
): Promise<StoredSnapshot[]> {
  const stored: StoredSnapshot[] = [];
  if (known !== null && !(known.isBaseline && (await equals(session, known.id, live)))) {
    await copySnapshot(session, known.id, { migration, moment: "before", origin: "live", actor });
    stored.push({ migration, moment: "before", origin: "live" });
  }
  await storeSnapshot(session, live, { migration, moment: "after", origin: "live", actor });
  return [...stored, { migration, moment: "after", origin: "live" }];
}

async function equals(session: Session, id: string, live: Catalog): Promise<boolean> {
  const { removed, added, changed } = compareCatalogs(await readSnapshotById(session, id), live);
  return removed.length + added.length + changed.length === 0;
}
