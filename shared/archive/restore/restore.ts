import { isBelayError } from "../../errors.ts";
import { databaseError, sqlStateOf } from "../../postgres/errors.ts";
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
  const { archive, url } = request;
  try {
    if (isToc(archive)) return await restoreToc({ ...request, archive });
    return await restorePlain({ ...request, archive });
  } catch (error) {
    throw isOfConnection(error) ? databaseError(error, { url, doing: "restoring" }) : error;
  }
}

/** What the driver throws where no entry or statement is at work: before, between and after. */
function isOfConnection(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return (
    !isBelayError(error) && (sqlStateOf(error) !== undefined || /^(CONNECTION_|ECONNRESET$|EPIPE$)/.test(String(code)))
  );
}

function isToc(archive: OpenedArchive): archive is Exclude<OpenedArchive, { format: "plain" }> {
  return archive.format !== "plain";
}
