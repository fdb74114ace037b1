import { readTableOfContents } from "../../shared/archive/read/objects.ts";
import { readLacking } from "../../shared/archive/restore/preflight/environment.ts";
import { readForbiddenOwners } from "../../shared/archive/restore/preflight/rights.ts";
import type { Manifest } from "../../shared/archive/types.ts";
import type { Session } from "../../shared/postgres/session.ts";
import type { ObjectStore } from "../../shared/store/types.ts";
import { type Check, count, failed, naming, passed } from "./check.ts";

/** The scratch server has what the archive needs: version, extensions, roles. What lacks is not the backup's fault. */
export const environmentCheck: Check = {
  name: "environment",
  async run({ belay, scratch, manifest }) {
    const lacking = await readLacking(scratch, manifest);
    if (lacking.length === 0) lacking.push(...(await readForbidden(scratch, belay.store, manifest)));
    const sourceMajor = Math.floor(manifest.source.serverVersionNum / 10_000);
    const scratchMajor = Math.floor(scratch.serverVersion / 10_000);
    if (scratchMajor < sourceMajor) lacking.push(`PostgreSQL ${sourceMajor} (the scratch server is ${scratchMajor})`);
    if (lacking.length > 0)
      return failed(naming("things are missing on the scratch server", lacking), "environment_mismatch");
    const { extensions, roles } = manifest;
    return passed(
      `PostgreSQL ${scratchMajor}, ${count(extensions.length, "extension")}, ${count(roles.length, "role")}: all there`,
    );
  },
};

/** Owners in whose name the scratch role may not make objects; a superuser may in everybody's. */
async function readForbidden(scratch: Session, store: ObjectStore, manifest: Manifest): Promise<string[]> {
  const { entries } = await readTableOfContents(store, manifest);
  const [row] = await scratch.sql`select current_user as self`;
  return (await readForbiddenOwners(scratch, entries)).map((name) => `the right of ${row!.self} to act as ${name}`);
}
