import { BelayError } from "../../errors.ts";
import { mapPooled } from "../../pool.ts";
import type { ObjectLock, ObjectStore } from "../../store/types.ts";
import { once } from "../digesting.ts";
import { archiveKey, manifestFile } from "../names.ts";
import { archivesPrefix } from "../types.ts";
import { requestsAtOnce } from "./facts.ts";
import { holds, lockReason } from "./plan.ts";

/** Says in an archive's prefix that it is being removed: whatever is left of it goes with the next run. */
export const removalFile = "removal.json";

/** Who removes an archive, and why; kept in the store until nothing is left of it. */
export interface Removal {
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

/** Objects and bytes that went; `locked` says why nothing did. */
export interface Removed {
  readonly objects: number;
  readonly bytes: number;
  readonly locked: string | null;
}

/**
 * Removes an archive: the manifest first, so that half of it is never listed, then its objects, and at last looks
 * whether all are gone. Touches nothing when one object is locked. Throws the store's errors; a run that broke off is
 * finished by the next one.
 */
export async function removeArchive(store: ObjectStore, id: string, removal: Removal): Promise<Removed> {
  const objects = await objectsOf(store, id);
  const locked = await firstLock(store, objects, removal.at);
  if (locked !== null) return { objects: 0, bytes: 0, locked };
  const manifest = archiveKey(id, manifestFile);
  const mark = archiveKey(id, removalFile);
  const note = Buffer.from(JSON.stringify({ by: removal.by, reason: removal.reason, at: removal.at.toISOString() }));
  await store.write(mark, once(note), { contentType: "application/json" });
  await store.delete(manifest);
  if ((await store.head(manifest)) !== null) throw stillThere(store, manifest);
  const rest = objects.filter(({ key }) => key !== manifest && key !== mark);
  await mapPooled(rest, requestsAtOnce, ({ key }) => store.delete(key));
  const left = (await objectsOf(store, id)).find(({ key }) => key !== mark);
  if (left !== undefined) throw stillThere(store, left.key);
  await store.delete(mark);
  const counted = objects.filter(({ key }) => key !== mark);
  return { objects: counted.length, bytes: counted.reduce((sum, { size }) => sum + size, 0), locked: null };
}

/** Of prefixes without a manifest, those whose removal was begun and broke off. */
export async function brokenRemovals(store: ObjectStore, unfinished: readonly string[]): Promise<string[]> {
  const marks = await mapPooled(unfinished, requestsAtOnce, (id) => isMarked(store, id));
  return unfinished.filter((_, index) => marks[index]);
}

async function isMarked(store: ObjectStore, id: string): Promise<boolean> {
  // Names that Belay never gives are somebody else's.
  return isArchiveId(id) && (await store.head(archiveKey(id, removalFile))) !== null;
}

/** Whether Belay gives ids of this form. */
export function isArchiveId(id: string): boolean {
  return /^(dump|rollback|undo)-\d{8}t\d{6}z-[0-9a-f]{8}$/.test(id);
}

export async function objectsOf(store: ObjectStore, id: string) {
  const found: { readonly key: string; readonly size: number; readonly modified: Date | null }[] = [];
  for await (const object of store.list(`${archivesPrefix}${id}/`)) found.push(object);
  return found;
}

/** The first lock in force among some objects, as a sentence; null when there is none. */
export async function firstLock(
  store: ObjectStore,
  objects: readonly { readonly key: string }[],
  now: Date,
): Promise<string | null> {
  const locks: (ObjectLock | undefined)[] = await mapPooled(
    objects,
    requestsAtOnce,
    async ({ key }) => (await store.head(key))?.lock,
  );
  const index = locks.findIndex((lock) => lock !== undefined && holds(lock, now));
  return index < 0 ? null : `${objects[index]!.key} is ${lockReason(locks[index]!)}`;
}

function stillThere(store: ObjectStore, key: string): BelayError {
  return new BelayError("store_failed", `${key} is still in ${store.url} after it was deleted`, {
    hint: "Look at the store's health and at its rules for deleting, and run the same command again: it goes on where it stopped.",
  });
}
