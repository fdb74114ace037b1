import { readManifest, surveyArchives } from "../shared/archive/list.ts";
import { BelayError, isBelayError } from "../shared/errors.ts";
import type { ObjectStore } from "../shared/store/types.ts";

/** The id of the archive to drill: a given one, the newest for `latest`, any older one for `random`. Throws `unknown_archive`. */
export async function chooseArchive(store: ObjectStore, wanted: string): Promise<string> {
  if (wanted !== "latest" && wanted !== "random") return existing(store, wanted);
  const { whole: archives, damaged } = await surveyArchives(store);
  // A backup that cannot be read must not hide behind an older one that can.
  if (wanted === "latest" && damaged[0] !== undefined && isNewer(damaged[0].id, archives[0]?.id)) return damaged[0].id;
  const older = archives.slice(1);
  const pool = wanted === "latest" || older.length === 0 ? archives.slice(0, 1) : older;
  const chosen = pool[Math.floor(Math.random() * pool.length)];
  if (chosen === undefined)
    throw new BelayError("unknown_archive", "there is no archive in the store, so there is nothing to drill", {
      hint: "Make one with `belay dump`, or check BELAY_STORE.",
    });
  return chosen.id;
}

/** Ids hold the time of their snapshot: `<purpose>-<time>-<random>`. */
function isNewer(id: string, other: string | undefined): boolean {
  const time = (name: string) => name.match(/\d{8}t\d{6}/)?.[0] ?? "";
  return other === undefined || time(id) > time(other);
}

/** A damaged manifest is not unknown: that is for the drill to find. */
async function existing(store: ObjectStore, id: string): Promise<string> {
  try {
    await readManifest(store, id);
  } catch (error) {
    if (!isBelayError(error, "archive_invalid")) throw error;
  }
  return id;
}
