import { openArchive } from "../shared/archive/read/open.ts";
import { createDatabase } from "../shared/archive/restore/create-database.ts";
import { type RestoreReport, restoreArchive } from "../shared/archive/restore/restore.ts";
import type { FullRestore } from "./state.ts";

/** Makes the database beside the live one, or on the other server, and restores the backup into it. */
export async function restoreBeside(state: FullRestore): Promise<RestoreReport> {
  const { belay, manifest, besideUrl, jobs } = state;
  const archive = await openArchive(manifest.id, { store: belay.store });
  await createDatabase(besideUrl, archive);
  return await restoreArchive({
    archive,
    url: besideUrl,
    made: true,
    jobs,
    report: (progress) => belay.report(progress),
  });
}
