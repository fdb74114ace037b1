import { createHash } from "node:crypto";
import { findTrackingTables } from "../migrations/tracking.ts";
import type { TrackingTable } from "../migrations/types.ts";
import type { Session } from "../postgres/session.ts";
import { catalogDigest, entryKey } from "./entry.ts";
import { readCatalog } from "./read.ts";
import { withoutSecrets } from "./secrets.ts";
import type { Catalog, Entry } from "./types.ts";

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
 * Stores a snapshot; entries that are stored already are shared. Returns its id. `seen` holds the hashes that earlier
 * calls of the same transaction stored, so that a long series sends each entry once.
 */
export async function storeSnapshot(
  session: Session,
  catalog: Catalog,
  facts: SnapshotFacts,
  seen: Set<string> = new Set(),
): Promise<string> {
  const hashes = catalog.entries.map(storedHash);
  const fresh = catalog.entries.flatMap((entry, index) =>
    seen.has(hashes[index]!) ? [] : [{ hash: hashes[index], entry: storable(entry) }],
  );
  const [row] = await session.sql`
    with given as (
      select e.hash, e.entry from jsonb_to_recordset(${JSON.stringify(fresh)}::text::jsonb) as e (hash text, entry jsonb)
    ), kept as (
      insert into belay.snapshot_entries (hash, entry) select hash, entry from given on conflict do nothing
    )
    insert into belay.snapshots (migration_name, moment, origin, description, digest, entry_hashes, unknown, created_by)
    values (${facts.migration}, ${facts.moment}, ${facts.origin}, ${facts.description ?? ""}, ${catalog.digest},
      ${hashes}::text[], ${JSON.stringify(catalog.unknown)}::text::jsonb, coalesce(${facts.actor ?? null}::text, current_user))
    returning id`;
  for (const hash of hashes) seen.add(hash);
  return row!.id as string;
}

/** The newest snapshot of a migration at a moment, from which a catalog can be restored; null when there is none. */
export async function readSnapshot(
  session: Session,
  migration: string,
  moment: "before" | "after",
): Promise<(Catalog & { readonly origin: "live" | "replayed" }) | null> {
  const [row] = await session.sql`
    select id, origin, digest, unknown::text as unknown from belay.snapshots
    where migration_name = ${migration} and moment = ${moment} and origin in ('live', 'replayed')
    order by created_at desc limit 1`;
  if (row === undefined) return null;
  const catalog = await readSnapshotById(session, row.id);
  return { ...catalog, origin: row.origin };
}

/** A stored snapshot by id. */
export async function readSnapshotById(session: Session, id: string): Promise<Catalog> {
  const rows = await session.sql<{ entry: string }[]>`
    select e.entry::text as entry
    from belay.snapshots s, unnest(s.entry_hashes) with ordinality as h (hash, position)
    join belay.snapshot_entries e on e.hash = h.hash
    where s.id = ${id} order by h.position`;
  const [head] = await session.sql`select digest, unknown::text as unknown from belay.snapshots where id = ${id}`;
  const entries = rows.map((row) => ({
    ...(JSON.parse(row.entry) as Entry),
    address: { classid: 0, objid: 0, objsubid: 0 },
  }));
  return { entries, unknown: JSON.parse(head!.unknown), digest: head!.digest };
}

/** Makes a stored snapshot that of another migration and moment too, without reading it. */
export async function copySnapshot(session: Session, id: string, facts: SnapshotFacts): Promise<void> {
  await session.sql`
    insert into belay.snapshots (migration_name, moment, origin, description, digest, entry_hashes, unknown, created_by)
    select ${facts.migration}, ${facts.moment}, origin, ${facts.description ?? ""}, digest, entry_hashes, unknown,
      coalesce(${facts.actor ?? null}::text, current_user)
    from belay.snapshots where id = ${id}`;
}

// Oids mean nothing in another database, so they are no part of what is stored; nor are passwords.
function storable({ address: _, ...entry }: Entry): Omit<Entry, "address"> {
  return { ...entry, create: withoutSecrets(entry) };
}

const storedHashes = new WeakMap<Entry, string>();

function storedHash(entry: Entry): string {
  const known = storedHashes.get(entry);
  if (known !== undefined) return known;
  const hash = createHash("sha256")
    .update(JSON.stringify(storable(entry)))
    .digest("hex");
  storedHashes.set(entry, hash);
  return hash;
}

/** Makes catalogs that are read one after the other share the entries that did not change between them. */
export function sharedEntries(): (catalog: Catalog) => Catalog {
  const byHash = new Map<string, Entry>();
  return (catalog) => ({
    ...catalog,
    entries: catalog.entries.map((entry) => {
      const hash = storedHash(entry);
      const known = byHash.get(hash);
      if (known === undefined) byHash.set(hash, entry);
      return known ?? entry;
    }),
  });
}
