import { readCatalog } from "../../catalog/read.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { databaseError } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";
import { exportSnapshot, openReader } from "../../postgres/snapshot.ts";
import { newArchiveId } from "../names.ts";
import type { Manifest } from "../types.ts";
import { readCatalogData } from "./data-of-catalog.ts";
import { readSource } from "./source.ts";
import { writeArchive } from "./write.ts";

export interface DumpRequest {
  readonly reason: string;
  /** Tables written at the same time. */
  readonly readers?: number;
}

const usualReaders = 2;

/**
 * Archives the whole database but Belay's own schema, from one snapshot. Throws `unsupported_kind` naming each object
 * that the catalog reader cannot write, before anything is read.
 */
export async function dumpDatabase(belay: Belay, request: DumpRequest): Promise<Manifest> {
  const session = await belay.openSession({ applicationName: "belay dump", parameters: { row_security: "off" } });
  const readers: Session[] = [];
  try {
    await session.run(`begin isolation level repeatable read read only;
      set local lock_timeout = '${belay.settings.lockTimeoutMs}ms'; set local statement_timeout = 0;
      set local idle_in_transaction_session_timeout = 0`);
    const snapshot = await exportSnapshot(session);
    const catalog = await readCatalog(session);
    requireKnown(catalog);
    const data = await readCatalogData(session, catalog.entries);
    const wanted = Math.max(1, Math.min(request.readers ?? usualReaders, data.tables.length));
    for (let count = 0; count < wanted; count += 1) readers.push(await openReader(databaseUrl(belay), snapshot.id));
    const keepAlive = pinging(session);
    try {
      return await writeArchive({
        store: belay.store,
        id: newArchiveId("dump", belay.now()),
        purpose: "dump",
        reason: request.reason,
        createdBy: belay.actor,
        migration: null,
        rollbackId: null,
        source: await readSource(session),
        snapshotAt: snapshot.takenAt,
        readers,
        entries: catalog.entries,
        ...data,
        external: [],
        catalogDigest: catalog.digest,
        budgetBytes: belay.settings.archiveBudgetBytes,
        report: (progress) => belay.report(progress),
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

function databaseUrl(belay: Belay): string {
  const { database } = belay.settings;
  if (database !== undefined) return database;
  throw new BelayError("usage", "no database is set", { hint: "Set BELAY_DATABASE_URL or pass --database." });
}

function requireKnown(catalog: Catalog): void {
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
