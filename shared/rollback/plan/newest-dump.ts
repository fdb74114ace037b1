import { readManifest } from "../../archive/list.ts";
import { archivesPrefix } from "../../archive/types.ts";
import type { Belay } from "../../context.ts";
import { isBelayError } from "../../errors.ts";
import type { ObjectStore } from "../../store/types.ts";

/** The newest whole-database archive of a database, as the store has it now. */
export type DumpFact =
  | {
      readonly state: "found";
      readonly archiveId: string;
      readonly snapshotAt: string;
      readonly tables: number;
      readonly rows: number;
    }
  | { readonly state: "none"; readonly why: string }
  | { readonly state: "unknown"; readonly why: string };

/** Archives of other databases that are looked through. */
const mostLookedAt = 20;
const patienceMs = 3_000;

/** Asks the store, for three seconds at most: what it does not answer is not known, and no error. */
export async function findNewestDump(
  belay: Belay,
  target: { readonly systemIdentifier: string; readonly databaseOid: number },
): Promise<DumpFact> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<DumpFact>((resolve) => {
    timer = setTimeout(
      () => resolve({ state: "unknown", why: "the archive store did not answer within 3 s" }),
      patienceMs,
    );
  });
  try {
    return await Promise.race([look(belay.store, target), patience]);
  } catch (error) {
    if (!isBelayError(error)) throw error;
    return { state: "unknown", why: `the archive store cannot be asked: ${error.message}` };
  } finally {
    clearTimeout(timer);
  }
}

async function look(
  store: ObjectStore,
  target: { readonly systemIdentifier: string; readonly databaseOid: number },
): Promise<DumpFact> {
  const ids: string[] = [];
  for await (const id of store.listFolders(archivesPrefix)) if (id.startsWith("dump-")) ids.push(id);
  // An id begins with its time.
  const newest = ids.sort().reverse();
  for (const id of newest.slice(0, mostLookedAt)) {
    const manifest = await readManifest(store, id).catch((error: unknown) => {
      // Without a manifest it is being written, or its dump failed.
      if (isBelayError(error, "unknown_archive") || isBelayError(error, "archive_invalid")) return null;
      throw error;
    });
    if (manifest === null || manifest.purpose !== "dump") continue;
    const { systemIdentifier, databaseOid } = manifest.source;
    if (systemIdentifier !== target.systemIdentifier || Number(databaseOid) !== target.databaseOid) continue;
    return {
      state: "found",
      archiveId: id,
      snapshotAt: manifest.snapshotAt,
      tables: manifest.tables.length,
      rows: manifest.tables.reduce((sum, each) => sum + each.rows, 0),
    };
  }
  if (newest.length > mostLookedAt)
    return {
      state: "unknown",
      why: `the newest ${mostLookedAt} whole-database archives in the store are of other databases`,
    };
  return {
    state: "none",
    why:
      newest.length === 0
        ? "the store holds no whole-database archive"
        : "the store holds no whole-database archive of this database",
  };
}
