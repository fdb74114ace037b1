import type { Belay } from "../../context.ts";
import { mapPooled } from "../../pool.ts";
import type { ObjectLock, ObjectStore } from "../../store/types.ts";
import { withSession } from "../../with-session.ts";
import { surveyArchives } from "../list.ts";
import { archiveKey, manifestFile } from "../names.ts";
import { readRetentionRecords } from "./records.ts";
import type { RetentionFacts, RetentionRecords } from "./types.ts";

/** Requests of one kind that travel at the same time. */
export const requestsAtOnce = 8;

/** Reads what is in the store and on record, but no locks. Throws when either cannot be read: half the facts are none. */
export async function readRetentionFacts(belay: Belay): Promise<RetentionFacts> {
  const records = await recordsOf(belay);
  return { survey: await surveyArchives(belay.store), records, locked: new Map(), now: belay.now() };
}

async function recordsOf(belay: Belay): Promise<RetentionRecords | null> {
  if (belay.settings.database === undefined) return null;
  return await withSession(belay, "belay prune", readRetentionRecords);
}

/** Locks of some archives, as their manifests have them: the last object written is locked the longest. */
export async function readLocks(store: ObjectStore, ids: readonly string[]): Promise<Map<string, ObjectLock>> {
  const found = await mapPooled(ids, requestsAtOnce, (id) => store.head(archiveKey(id, manifestFile)));
  const locks = found.map((object, index) => [ids[index]!, object?.lock] as const);
  return new Map(locks.filter((one): one is readonly [string, ObjectLock] => one[1] !== undefined));
}
