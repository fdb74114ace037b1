import type { Belay } from "../../context.ts";
import { BelayError, isBelayError } from "../../errors.ts";
import { mapPooled } from "../../pool.ts";
import { unfinishedPrefix } from "../../store/keys.ts";
import type { ObjectStore, UnfinishedUpload } from "../../store/types.ts";
import { surveyArchives } from "../list.ts";
import { archiveKey, manifestFile } from "../names.ts";
import { archivesPrefix } from "../types.ts";
import { requestsAtOnce } from "./facts.ts";
import { type RemovedArchive, removeRecorded } from "./record-removals.ts";
import { brokenRemovals, isArchiveId, objectsOf } from "./remove.ts";

/** Age that a prefix needs where the store cannot tell of running uploads: days of silence in milliseconds. */
const silenceNeededMs = 7 * 86_400_000;

const leastSilenceMs = 3_600_000;

/** Objects without a manifest under a name that Belay gives: written to its half, or removed to its half. */
export interface UnfinishedArchive {
  readonly id: string;
  readonly objects: number;
  readonly bytes: number;
  /** When the last byte arrived; null when nobody knows. */
  readonly active: Date | null;
  /** Its removal was begun: it goes at any age. */
  readonly removing: boolean;
  readonly action: "keep" | "remove";
}

export interface UnfinishedPlan {
  readonly archives: readonly UnfinishedArchive[];
  readonly uploads: readonly (UnfinishedUpload & { readonly action: "keep" | "remove" })[];
  /** Names under the archives' prefix that are not of Belay's making, and are left alone. */
  readonly foreign: readonly string[];
  /** Why unfinished uploads are not known; null when they are. */
  readonly uploadsUnknown: string | null;
}

/** What was begun and never finished, and of it what has been silent for `silentMs`. Changes nothing. */
export async function planUnfinished(belay: Belay, silentMs: number): Promise<UnfinishedPlan> {
  if (silentMs < leastSilenceMs)
    throw new BelayError("usage", "what was written within the last hour may still be written", {
      hint: "Pass --older-than 1h or more; a day is safe.",
    });
  const { store } = belay;
  const now = belay.now().getTime();
  const { uploads, unknown } = await uploadsOf(store);
  const needed = unknown === null ? silentMs : Math.max(silentMs, silenceNeededMs);
  const { unfinished } = await surveyArchives(store);
  const ours = unfinished.filter(isArchiveId);
  const removing = new Set(await brokenRemovals(store, ours));
  const archives = await mapPooled(ours, requestsAtOnce, async (id): Promise<UnfinishedArchive> => {
    const look = await lookAt(store, id, uploads);
    const silent = look.active !== null && now - look.active.getTime() > needed;
    const action = removing.has(id) || silent ? "remove" : "keep";
    return { id, ...look, removing: removing.has(id), action };
  });
  return {
    archives,
    uploads: uploads.map((upload) => ({
      ...upload,
      action: now - upload.active.getTime() > silentMs ? "remove" : "keep",
    })),
    foreign: unfinished.filter((id) => !isArchiveId(id)),
    uploadsUnknown: unknown,
  };
}

/** Removes what a plan names, after looking once more that nobody went on with it. */
export async function applyUnfinished(
  belay: Belay,
  plan: UnfinishedPlan,
  reason: string,
): Promise<{ archives: RemovedArchive[]; uploads: number }> {
  const { store } = belay;
  const wanted = plan.archives.filter(({ action }) => action === "remove");
  const { uploads: present } = wanted.length === 0 ? { uploads: [] } : await uploadsOf(store);
  const ids: string[] = [];
  for (const one of wanted) {
    const { active } = await lookAt(store, one.id, present);
    const wentOn = !one.removing && active?.getTime() !== one.active?.getTime();
    if (!wentOn && (await store.head(archiveKey(one.id, manifestFile))) === null) ids.push(one.id);
  }
  const uploads = plan.uploads.filter(({ action }) => action === "remove");
  await mapPooled(uploads, requestsAtOnce, (upload) => store.discard(upload));
  const removal = { by: belay.actor, reason, at: belay.now() };
  return { archives: await removeRecorded(belay, ids, "archive.discarded", removal), uploads: uploads.length };
}

async function uploadsOf(store: ObjectStore): Promise<{ uploads: UnfinishedUpload[]; unknown: string | null }> {
  const uploads: UnfinishedUpload[] = [];
  try {
    for await (const upload of store.unfinished(archivesPrefix)) if (isOurs(upload)) uploads.push(upload);
    return { uploads, unknown: null };
  } catch (error) {
    // A store may not know the request; an answer that fails otherwise is no reason to go on.
    if (isBelayError(error, "store_failed") && error.details.cannotTell === true)
      return { uploads: [], unknown: error.message };
    throw error;
  }
}

/** The bucket may be shared: what others upload is theirs to finish. */
function isOurs({ key }: UnfinishedUpload): boolean {
  const [id = "", ...rest] = key.slice(archivesPrefix.length).split("/");
  return rest.length === 0 ? id.startsWith(unfinishedPrefix) : isArchiveId(id);
}

async function lookAt(store: ObjectStore, id: string, uploads: readonly UnfinishedUpload[]) {
  const objects = await objectsOf(store, id);
  const running = uploads.filter(({ key }) => key.startsWith(`${archivesPrefix}${id}/`));
  const moments = [...objects.map(({ modified }) => modified), ...running.map(({ active }) => active)];
  const known = moments.every((moment) => moment !== null) && moments.length > 0;
  return {
    objects: objects.length,
    bytes: objects.reduce((sum, { size }) => sum + size, 0),
    active: known ? new Date(Math.max(...moments.map((moment) => moment!.getTime()))) : null,
  };
}
