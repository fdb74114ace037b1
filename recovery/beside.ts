import { openArchive } from "../shared/archive/read/open.ts";
import type { RestoreReport } from "../shared/archive/restore/restore.ts";
import { restoreAnew } from "../shared/archive/restore/restore-anew.ts";
import type { FullRestore } from "./state.ts";

/** Makes the database beside the live one, or on the other server, and restores the backup into it. */
export async function restoreBeside(state: FullRestore): Promise<RestoreReport> {
  const { belay, manifest, besideUrl, jobs } = state;
  const archive = await openArchive(manifest.id, { store: belay.store });
  return await restoreAnew({
    archive,
    url: besideUrl,
    jobs,
    report: (progress) => belay.report(progress),
  });
}
