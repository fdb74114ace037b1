import type { OpenedArchive } from "../read/types.ts";
import { restorePlain } from "./plain/restore-plain.ts";
import { restoreToc } from "./restore-toc.ts";
import type { RestoreReport, RestoreRequest } from "./types.ts";

export type { RestoreOptions, RestoreReport, RestoreRequest } from "./types.ts";

/**
 * Restores an archive, whoever wrote it. Throws `restore_target` when the database does not fit (not empty, the source
 * itself, without a role or an extension): nothing was changed. Throws `archive_invalid` when the archive does not
 * restore, and the server's errors, each naming its entry: what was done stays, and `resume` goes on from there.
 */
export async function restoreArchive(request: RestoreRequest): Promise<RestoreReport> {
  const { archive } = request;
  if (isToc(archive)) return restoreToc({ ...request, archive });
  return restorePlain({ ...request, archive });
}

function isToc(archive: OpenedArchive): archive is Exclude<OpenedArchive, { format: "plain" }> {
  return archive.format !== "plain";
}
