import { readConfigurationTables } from "../../catalog/configuration-tables.ts";
import { readDatabaseEntries } from "../../catalog/database-entries.ts";
import { readCatalog } from "../../catalog/read.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { openReader, type Snapshot } from "../../postgres/snapshot.ts";
import { newArchiveId } from "../names.ts";
import type { Manifest } from "../types.ts";
import { configurationData } from "./configuration.ts";
import { readCatalogData } from "./data-of-catalog.ts";
import type { TableToArchive } from "./layout.ts";
import { beginLocked } from "./lock-tables.ts";
import {
  type DumpProfile,
  managedSchemas,
  type PlatformTable,
  platformTables,
  profileOf,
  withoutManaged,
} from "./profile.ts";
import { readSource } from "./source.ts";
import { writeArchive } from "./write.ts";

export interface DumpRequest {
  readonly reason: string;
  /** Tables read at the same time; default 2. */
  readonly readers?: number;
  /** gzip's, 0 to 9; default 6. */
  readonly gzipLevel?: number;
  /** Default: `supabase` for a Supabase project, else `all`. */
  readonly profile?: DumpProfile;
  /** Hears what the dump is of, before rows are read. */
  onProfile?(profile: DumpProfile): void;
}

const usualReaders = 2;

/**
 * Archives the whole database from one snapshot, or of a Supabase project what is its users'. Throws
 * `unsupported_kind` naming each object that the catalog reader cannot write, before any row is read.
 */
export async function dumpDatabase(belay: Belay, request: DumpRequest): Promise<Manifest> {
  const session = await belay.openSession({
    applicationName: "belay dump",
    parameters: { row_security: "off", search_path: "" },
  });
  const readers: Session[] = [];
  try {
    const profile = request.profile ?? (await profileOf(session));
    request.onProfile?.(profile);
    const leftOut = profile === "supabase" ? await managedSchemas(session) : [];
    const snapshot = await beginLocked(session, leftOut, belay.settings.lockTimeoutMs);
    const contents = await readContents(session, profile, leftOut);
    const jobs = 2 * contents.tables.length + contents.largeObjects.length;
    const wanted = Math.max(1, Math.min(request.readers ?? usualReaders, jobs));
    for (let count = 0; count < wanted; count += 1) readers.push(await openReader(databaseUrl(belay), snapshot.id));
    const keepAlive = pinging(session);
    try {
      return await writeArchive({
        ...about(belay, request, snapshot),
        source: await readSource(session),
        readers,
        profile,
        ...contents,
      });
    } finally {
      clearInterval(keepAlive);
    }
  } catch (error) {
    throw databaseError(error, { doing: "dumping the database" });
  } finally {
    await Promise.allSettled([...readers, session].map((one) => one.destroy()));
  }
}

/** Entries, tables, sequences and large objects, read under locks that keep them as they are. */
async function readContents(session: Session, profile: DumpProfile, leftOut: readonly string[]) {
  const whole = await readCatalog(session, { excludeSchemas: [], largeObjects: true });
  const catalog = profile === "supabase" ? withoutManaged(whole, leftOut) : whole;
  requireKnown(catalog);
  const { entries } = catalog;
  const data = await readCatalogData(session, entries);
  const configured = await readConfigurationTables(session, { excludeSchemas: leftOut });
  const configuration = await configurationData(session, configured, entries);
  const platform = profile === "supabase" ? await readPlatformTables(session, platformTables(whole, catalog)) : [];
  return {
    ...data,
    entries,
    tables: [...data.tables, ...configuration.tables, ...platform],
    sequences: [...data.sequences, ...configuration.sequences],
    largeObjects: entries
      .filter(({ kind }) => kind === "BLOB")
      .map(({ address }) => address.objid)
      .sort((a, b) => a - b),
    databaseEntries: await readDatabaseEntries(session),
    catalogDigest: catalog.digest,
  };
}

/** Rows that users keep in tables which the platform makes, without the tables. */
async function readPlatformTables(session: Session, platform: readonly PlatformTable[]): Promise<TableToArchive[]> {
  const made = new Map(platform.map((one) => [one.entry.key, one]));
  const { tables } = await readCatalogData(
    session,
    platform.map(({ entry }) => entry),
  );
  return tables.map((table) => {
    const { entry, references } = made.get(table.entry!)!;
    const comesWith = {
      oid: entry.address.objid,
      owner: entry.owner ?? "",
      table: entry.key,
      references: references.map(({ address }) => address.objid),
    };
    return { ...table, entry: null, role: "configuration", comesWith };
  });
}

function about(belay: Belay, request: DumpRequest, snapshot: Snapshot) {
  return {
    store: belay.store,
    id: newArchiveId("dump", belay.now()),
    purpose: "dump" as const,
    reason: request.reason,
    createdBy: belay.actor,
    migration: null,
    rollbackId: null,
    snapshotAt: snapshot.takenAt,
    external: [],
    budgetBytes: belay.settings.archiveBudgetBytes,
    ...(request.gzipLevel === undefined ? {} : { gzipLevel: request.gzipLevel }),
    report: (progress: Parameters<Belay["report"]>[0]) => belay.report(progress),
  };
}

function databaseUrl(belay: Belay): string {
  const { database } = belay.settings;
  if (database !== undefined) return database;
  throw new BelayError("usage", "no database is set", { hint: "Set BELAY_DATABASE_URL or pass --database." });
}

function requireKnown(catalog: Pick<Catalog, "unknown">): void {
  if (catalog.unknown.length === 0) return;
  const names = catalog.unknown.map(({ kind, identity }) => `${kind} ${identity}`);
  throw new BelayError("unsupported_kind", `the database holds what Belay cannot archive yet: ${names.join(", ")}`, {
    hint: "Nothing was written. Use pg_dump for this database until Belay knows these kinds.",
    details: { objects: names },
  });
}

/** The session that exported the snapshot is idle while others read: a firewall or pooler might forget it. */
function pinging(session: Session): ReturnType<typeof setInterval> {
  return setInterval(() => void session.run("select 1").catch(() => {}), 30_000);
}
