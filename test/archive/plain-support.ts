import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openPlain } from "../../shared/archive/read/plain/open.ts";
import type { PlainArchive } from "../../shared/archive/read/types.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import type { RestoreOptions, RestoreReport } from "../../shared/archive/restore/types.ts";
import type { BelayError } from "../../shared/errors.ts";
import { createFolderStore } from "../../shared/store/folder.ts";
import { temporaryFolder } from "../support/belay.ts";

/** A script in a store of its own. */
export async function scriptOf(script: string | Uint8Array): Promise<PlainArchive> {
  const folder = temporaryFolder();
  await writeFile(join(folder, "dump.sql"), script);
  return openPlain({ store: createFolderStore(folder), prefix: "dump.sql", url: `file://${folder}/dump.sql` });
}

/** Restores a script into a database; without ANALYZE unless asked. */
export async function restoreScript(
  url: string,
  script: string | Uint8Array,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  return restoreArchive({ analyze: false, ...options, archive: await scriptOf(script), url });
}

/** What a restore that fails says. */
export async function failureOf(restored: Promise<unknown>): Promise<BelayError> {
  return restored.then(
    () => Promise.reject(new Error("the restore did not fail")),
    (error) => error as BelayError,
  );
}
