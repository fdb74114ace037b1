import { manifestSha256 } from "../../archive/manifest-digest.ts";
import { archiveKey, manifestFile, newArchiveId } from "../../archive/names.ts";
import type { Manifest } from "../../archive/types.ts";
import { readSource } from "../../archive/write/source.ts";
import { type TableToArchive, writeArchive } from "../../archive/write/write.ts";
import type { Belay, Progress } from "../../context.ts";
import type { Session } from "../../postgres/session.ts";
import { movedAway } from "../preserve/by-hand.ts";
import type { Plan } from "../types.ts";
import type { ArchiveScope, Going } from "./archive-scope.ts";
import { tableKey } from "./archive-scope.ts";
import { boundStore } from "./bounded-store.ts";
import { standingTables } from "./by-hand.ts";
import { openReaders, readersFor } from "./readers.ts";
import { sideTables } from "./side-tables.ts";
import type { Before } from "./types.ts";

export interface ScopedArchive {
  readonly manifest: Manifest;
  readonly manifestSha256: string;
}

/** Pings in the time after which the server ends an idle transaction. */
const pingsPerLimit = 4;

/** For whom an archive is written: a rollback, or an undo that replaces something. */
export interface Archiving {
  readonly belay: Belay;
  readonly rollbackId: string;
  readonly request: { readonly reason: string };
}

type Scoped = Pick<Before, "scope" | "account" | "catalog">;

/**
 * Writes the archive from the state under the locks: readers share the transaction's exported snapshot, and end before
 * the rollback SQL. Null when nothing is destroyed, changed or rewritten.
 */
export async function archiveScoped(
  attempt: Archiving,
  session: Session,
  plan: Pick<Plan, "migration"> & Partial<Pick<Plan, "preserve">> & Going,
  before: Scoped,
  purpose: "rollback" | "undo" = "rollback",
): Promise<ScopedArchive | null> {
  const { scope } = before;
  if (scope.entries.length + scope.external.length + scope.tables.length + scope.sequences.length === 0) return null;
  const { belay } = attempt;
  const side = await sideTables(session, scope.columns);
  const sizes = await tableSizes(session, scope);
  const tables = [...wholeTables(scope, sizes), ...side.tables];
  const [at] = await session.sql`
    select pg_export_snapshot() as snapshot, to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as now`;
  const wanted = readersFor(
    belay.settings,
    tables.map(({ sizeHint }) => sizeHint ?? 0),
  );
  const readers = await openReaders(belay, at!.snapshot, wanted).catch(async (error) => {
    // The snapshot goes with its session: then that is the reason, and the question throws it.
    await session.run("select 1");
    throw error;
  });
  const ping = setInterval(() => session.sql`select 1`.catch(() => {}), attempt.belay.settings.idleMs / pingsPerLimit);
  try {
    const input = {
      id: newArchiveId(purpose, new Date(at!.now)),
      purpose,
      reason: attempt.request.reason,
      createdBy: belay.actor,
      migration: plan.migration,
      rollbackId: attempt.rollbackId,
      source: await readSource(session),
      snapshotAt: at!.now,
      readers,
      entries: [...scope.entries.filter(({ section }) => section !== "data"), ...side.entries],
      tables,
      sequences: sequencesOf(before),
      materializedViews: scope.entries
        .filter(
          ({ kind, address }) => kind === "MATERIALIZED VIEW" && before.account.relations.get(address.objid)?.filled,
        )
        .map(({ key }) => key),
      external: scope.external.map(({ entry, references }) => ({ name: entry.name, create: entry.create, references })),
      standing: standingTables(scope, plan),
      moved: movedAway(plan.preserve, before.catalog.entries, belay.now()),
      catalogDigest: before.catalog.digest,
      budgetBytes: belay.settings.archiveBudgetBytes,
      report: (progress: Progress) => belay.report(progress),
    };
    const { storeStallMs, archiveMs } = belay.settings;
    const bounded = boundStore(belay.store, { stallMs: storeStallMs, totalMs: archiveMs });
    return await bounded.within(async (store) => {
      const manifest = await writeArchive({ ...input, store });
      return { manifest, manifestSha256: manifestSha256(manifest) };
    });
  } catch (error) {
    // A hanging store must not hold the readers, and with them the snapshot.
    await Promise.allSettled(readers.map((reader) => reader.destroy()));
    // Its snapshot went with it: what the readers say of that is no reason. It throws what it is.
    if (!session.alive) await session.run("select 1");
    throw error;
  } finally {
    clearInterval(ping);
    await Promise.allSettled(readers.map((reader) => reader.close()));
  }
}

/** Bytes of each table in the source, by oid: they size the uploads' parts. */
async function tableSizes(session: Session, scope: ArchiveScope): Promise<Map<number, number>> {
  const oids = scope.tables.map(({ oid }) => String(oid));
  const rows = await session.sql`
    select oid::text as oid, pg_table_size(oid::oid)::float8 as bytes from unnest(${oids}::text[]) as oid`;
  return new Map(rows.map(({ oid, bytes }) => [Number(oid), bytes]));
}

function wholeTables(scope: ArchiveScope, sizes: ReadonlyMap<number, number>): TableToArchive[] {
  return scope.tables.map((relation) => ({
    entry: tableKey(relation.schema, relation.name),
    schema: relation.schema,
    table: relation.name,
    columns: relation.columns.filter(({ generated }) => !generated).map(({ name }) => name),
    role: "table",
    mergesInto: null,
    sizeHint: sizes.get(relation.oid) ?? 0,
  }));
}

function sequencesOf({ scope, account, catalog }: Scoped) {
  const entries = new Map(
    catalog.entries.filter(({ kind }) => kind === "SEQUENCE").map(({ address, key }) => [address.objid, key]),
  );
  const archived = new Set(scope.entries.map(({ key }) => key));
  return scope.sequences.flatMap(({ oid, schema, name }) => {
    const value = account.sequences.get(oid);
    const entry = entries.get(oid);
    if (value === undefined) return [];
    return [
      {
        schema,
        name,
        lastValue: value.lastValue,
        isCalled: value.isCalled,
        ...(entry !== undefined && archived.has(entry) ? { entry } : {}),
      },
    ];
  });
}

/** Puts the archive on record, in the transaction that makes it needed. */
export async function recordArchive(
  session: Session,
  { manifest, manifestSha256 }: ScopedArchive,
  attempt: Archiving,
): Promise<void> {
  const bytes = manifest.objects.reduce((sum, object) => sum + object.bytes, 0);
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  await session.sql`
    insert into belay.archives (id, purpose, store_url, migration_name, rollback_id, manifest_sha256, bytes, rows,
                                snapshot_at, verified_at, created_by)
    values (${manifest.id}, ${manifest.purpose}, ${attempt.belay.store.url}, ${manifest.migration}, ${manifest.rollbackId},
            ${manifestSha256}, ${bytes}, ${rows}, ${manifest.snapshotAt}::text::timestamptz, clock_timestamp(), ${manifest.createdBy})`;
}

/**
 * Removes the archive of an attempt that was rolled back: what it holds is still in the database. Its manifest goes first,
 * and where that fails all stays: an archive that is listed must be whole.
 */
export async function discardArchive({ store, settings }: Belay, manifest: Manifest): Promise<void> {
  const remove = async () => {
    for (const file of [manifestFile, ...manifest.objects.map(({ file }) => file)])
      await store.delete(archiveKey(manifest.id, file));
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, settings.storeStallMs);
  });
  await Promise.race([remove().catch(() => {}), late]);
  clearTimeout(timer);
}
