import { readManifest } from "../../archive/list.ts";
import { manifestSha256, storedManifestSha256 } from "../../archive/manifest-digest.ts";
import { newArchiveId } from "../../archive/names.ts";
import { tableDigest } from "../../archive/table-digest.ts";
import { archivesPrefix, type Manifest } from "../../archive/types.ts";
import { requireVerified } from "../../archive/verify.ts";
import { readSource } from "../../archive/write/source.ts";
import { type TableToArchive, writeArchive } from "../../archive/write/write.ts";
import { catalogClosure } from "../../catalog/closure.ts";
import { entryKey } from "../../catalog/entry.ts";
import { creationOrder } from "../../catalog/order.ts";
import { readCatalog } from "../../catalog/read.ts";
import type { Entry } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { BelayError, isBelayError } from "../../errors.ts";
import type { Session } from "../../postgres/session.ts";
import { exportSnapshot, openReader } from "../../postgres/snapshot.ts";
import type { ObjectStore } from "../../store/types.ts";
import { boundStore } from "../execute/bounded-store.ts";
import { type RelationAccount, readAccount } from "../guard/account.ts";
import { hangsOn } from "../guard/hangers.ts";
import type { Remembered } from "../transaction/remembered.ts";
import type { Preserved } from "../types.ts";

export interface PurgedArchive {
  readonly manifest: Manifest;
  readonly manifestSha256: string;
}

/** A rollback whose quarantine is archived. */
export interface Quarantine {
  readonly rollbackId: string;
  readonly migration: string;
  readonly preserved: Preserved;
  readonly remembered: Remembered;
}

const mostReaders = 2;

/**
 * Writes what a rollback moved away into an archive, under the names and with the definitions of before, and reads every
 * byte back. The caller holds the tables against writers. An archive that a killed purge left is taken, when it verifies
 * and its rows are those of the tables.
 */
export async function archiveQuarantine(belay: Belay, session: Session, what: Quarantine): Promise<PurgedArchive> {
  const account = await readAccount(session);
  const tables = tablesOf(what, account.relations);
  const earlier = await findEarlier(belay.store, session, what, tables);
  if (earlier !== null) return earlier;
  const catalog = await readCatalog(session);
  const { inside, outside } = entriesOf(what, catalog.entries);
  const snapshot = await exportSnapshot(session);
  const url = databaseOf(belay);
  const readers: Session[] = [];
  try {
    for (let count = 0; count < Math.min(mostReaders, Math.max(1, tables.length)); count++)
      readers.push(await openReader(url, snapshot.id));
    const input = {
      id: newArchiveId("quarantine", belay.now()),
      purpose: "quarantine" as const,
      reason: `purged from ${what.preserved.schemas.join(", ")}`,
      createdBy: belay.actor,
      migration: what.migration,
      rollbackId: what.rollbackId,
      source: await readSource(session),
      snapshotAt: snapshot.takenAt,
      readers,
      entries: inside,
      tables,
      sequences: what.preserved.kept.flatMap(({ kind, schema, name, oid }) => {
        const value = account.sequences.get(oid);
        if (kind !== "sequence" || value === undefined) return [];
        const key = entryKey({ kind: "SEQUENCE", schema, name, owner: null });
        const entry = inside.some((each) => each.key === key) ? { entry: key } : {};
        return [{ schema, name, lastValue: value.lastValue, isCalled: value.isCalled, ...entry }];
      }),
      materializedViews: [],
      external: outside,
      catalogDigest: catalog.digest,
      budgetBytes: belay.settings.archiveBudgetBytes,
      report: (progress: Parameters<Belay["report"]>[0]) => belay.report(progress),
    };
    const { storeStallMs, archiveMs } = belay.settings;
    return await boundStore(belay.store, { stallMs: storeStallMs, totalMs: archiveMs }).within(async (store) => {
      const manifest = await writeArchive({ ...input, store });
      return { manifest, manifestSha256: manifestSha256(manifest) };
    });
  } finally {
    await Promise.allSettled(readers.map((reader) => reader.destroy()));
  }
}

function databaseOf(belay: Belay): string {
  const { database } = belay.settings;
  if (database !== undefined) return database;
  throw new BelayError("usage", "no database is set", { hint: "Set BELAY_DATABASE_URL or pass --database." });
}

function tablesOf({ preserved }: Quarantine, relations: ReadonlyMap<number, RelationAccount>): TableToArchive[] {
  return preserved.kept.flatMap(({ kind, schema, name, keptIn, as, oid }) => {
    const relation = relations.get(oid);
    if (kind !== "table" || relation?.kind !== "r") return [];
    return [
      {
        entry: entryKey({ kind: "TABLE", schema, name, owner: null }),
        schema,
        table: name,
        columns: relation.columns.filter(({ generated }) => !generated).map((column) => column.name),
        role: "table" as const,
        mergesInto: null,
        from: { schema: keptIn, table: as },
      },
    ];
  });
}

/** What was moved with all that hangs on it, and what that needs; foreign keys that lead out are told apart. */
function entriesOf({ preserved, remembered }: Quarantine, now: readonly Entry[]) {
  const standing = new Map(now.map((entry) => [entry.key, entry]));
  for (const entry of remembered.removed) standing.set(entry.key, entry);
  const all = [...standing.values()];
  const oids = new Set(preserved.kept.map(({ oid }) => oid));
  const kinds = new Set(["TABLE", "TYPE", "DOMAIN", "SEQUENCE"]);
  const wanted = new Set(
    remembered.removed.filter(({ kind, address }) => kinds.has(kind) && oids.has(address.objid)).map(({ key }) => key),
  );
  const tables = new Set([...wanted].filter((key) => key.startsWith("TABLE ")));
  for (const entry of remembered.removed) if (hangsOn(entry, wanted)) wanted.add(entry.key);
  const external: Manifest["external"] = [];
  for (const key of [...wanted]) {
    const entry = standing.get(key)!;
    const leadsTo = entry.dependencies.find((one) => one.startsWith("TABLE ") && !tables.has(one));
    if (entry.kind !== "FK CONSTRAINT" || leadsTo === undefined) continue;
    external.push({ name: entry.name, create: entry.create, references: leadsTo.slice("TABLE ".length) });
    wanted.delete(key);
  }
  // Memberships in publications are those of the rollback's own archive: the publication may be another one by now.
  for (const key of [...wanted]) if (key.startsWith("PUBLICATION TABLE ")) wanted.delete(key);
  const known = [...wanted].filter((key) => standing.has(key));
  const without = new Set(external.map(({ name }) => name));
  const inside = catalogClosure({ entries: creationOrder(all) }, known).filter(
    ({ kind, name, section }) => section !== "data" && !(kind === "FK CONSTRAINT" && without.has(name)),
  );
  return { inside, outside: external };
}

/** A whole archive of this quarantine whose rows are those of the tables now; null when there is none. */
async function findEarlier(
  store: ObjectStore,
  session: Session,
  { rollbackId }: Quarantine,
  tables: readonly TableToArchive[],
): Promise<PurgedArchive | null> {
  for await (const id of store.listFolders(archivesPrefix)) {
    if (!id.startsWith("quarantine-")) continue;
    const manifest = await wholeManifest(store, id);
    if (manifest?.rollbackId !== rollbackId || manifest.purpose !== "quarantine") continue;
    if (!(await sameRows(session, manifest, tables))) continue;
    await requireVerified(store, id);
    // A store that reads wrong once would leave a digest on record that nothing has.
    const digests = [await storedManifestSha256(store, id), await storedManifestSha256(store, id)] as const;
    if (digests[0] === digests[1]) return { manifest, manifestSha256: digests[0] };
  }
  return null;
}

async function wholeManifest(store: ObjectStore, id: string): Promise<Manifest | null> {
  try {
    return await readManifest(store, id);
  } catch (error) {
    if (isBelayError(error, "unknown_archive") || isBelayError(error, "archive_invalid")) return null;
    throw error;
  }
}

async function sameRows(session: Session, manifest: Manifest, tables: readonly TableToArchive[]): Promise<boolean> {
  if (manifest.tables.length !== tables.length) return false;
  for (const { schema, table, columns, from } of tables) {
    const archived = manifest.tables.find((one) => one.schema === schema && one.table === table);
    if (archived === undefined) return false;
    const found = await tableDigest(session, { schema: from!.schema, table: from!.table, columns: [...columns] });
    if (found.rows !== archived.rows || found.digest !== archived.digest) return false;
  }
  return true;
}
