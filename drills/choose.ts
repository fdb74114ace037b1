import { listArchives } from "../shared/archive/list.ts";
import { BelayError } from "../shared/errors.ts";
import type { ObjectStore } from "../shared/store/types.ts";

/** The id of the archive to drill: a given one, the newest for `latest`, any older one for `random`. Throws `unknown_archive`. */
export async function chooseArchive(store: ObjectStore, wanted: string): Promise<string> {
  if (wanted !== "latest" && wanted !== "random") return wanted;
  const archives = [...(await listArchives(store))].sort((a, b) => b.snapshotAt.localeCompare(a.snapshotAt));
  const older = archives.slice(1);
  const pool = wanted === "latest" || older.length === 0 ? archives.slice(0, 1) : older;
  const chosen = pool[Math.floor(Math.random() * pool.length)];
  if (chosen === undefined)
    throw new BelayError("unknown_archive", "there is no archive in the store, so there is nothing to drill", {
      hint: "Make one with `belay dump`, or check BELAY_STORE.",
    });
  return chosen.id;
}
